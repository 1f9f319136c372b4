#include "tuner/timing.hpp"

#include <algorithm>
#include <chrono>

#include <sched.h>

namespace lamina {

double now_seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::vector<int> allowed_cores() {
    cpu_set_t allowed;
    std::vector<int> cores;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        for (int core = 0; core < CPU_SETSIZE; ++core)
            if (CPU_ISSET(static_cast<std::size_t>(core), &allowed))
                cores.push_back(core);
    return cores;
}

void allow_cores(const std::vector<int>& cores) {
    if (cores.empty())
        return;
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    for (const int core : cores)
        CPU_SET(static_cast<std::size_t>(core), &allowed);
    sched_setaffinity(0, sizeof allowed, &allowed);
}

PinnedCore::PinnedCore() {
    const std::vector<int> cores = allowed_cores();
    cpu_set_t one;
    const int here = std::max(sched_getcpu(), 0);
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(here), &one);
    if (cores.empty() || sched_setaffinity(0, sizeof one, &one) != 0)
        return;
    core_ = here;
    cores_ = cores;
}

PinnedCore::~PinnedCore() {
    allow_cores(cores_);
}

std::vector<int> PinnedCore::others() const {
    std::vector<int> cores = cores_;
    std::erase(cores, core_);
    return cores;
}

Quartiles quartiles(std::vector<double> samples) {
    std::sort(samples.begin(), samples.end());
    const std::size_t n = samples.size();
    return {samples[n / 4], samples[n / 2], samples[n * 3 / 4]};
}

} // namespace lamina
