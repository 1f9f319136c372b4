#include "tuner/contest.hpp"

#include "tuner/timing.hpp"

#include <algorithm>

namespace lamina {

namespace {

double median_call(ReadyKernel& kernel, double seconds) {
    std::vector<double> calls;
    // Where the others left the caches is not this kernel's doing.
    kernel.run();
    const double begin = now_seconds();
    double now = begin;
    do {
        kernel.run();
        const double end = now_seconds();
        calls.push_back(end - now);
        now = end;
    } while (now - begin < seconds);
    return quartiles(std::move(calls)).median;
}

} // namespace

Contest::Contest(std::vector<ReadyKernel*> contenders)
    : contenders_(std::move(contenders)), seconds_(contenders_.size()) {}

void Contest::play_round(double seconds) {
    for (std::size_t i = 0; i < contenders_.size(); ++i)
        seconds_[i].push_back(median_call(*contenders_[i], seconds));
}

Standing Contest::standing(std::size_t contender) const {
    std::vector<double> ratios;
    for (std::size_t round = 0; round < seconds_[contender].size(); ++round)
        ratios.push_back(seconds_[contender][round] / seconds_[0][round]);
    const int rounds = static_cast<int>(ratios.size());
    const Quartiles q = quartiles(std::move(ratios));
    return {q.median, q.low, q.high, quartiles(seconds_[contender]).median, rounds};
}

} // namespace lamina
