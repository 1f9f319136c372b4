// Which samples of a measurement had their core to themselves. Where a machine is lent out by hardware
// threads, work of others on the core's second thread takes issue slots, load ports and caches from a kernel,
// but next to nothing from a loop of multiply-adds on registers, so that a fraction of the measured peak
// falls for no fault of the kernel. Seen on a Zen 3: a 3x3 convolution that stays in the L2 cache took 0.139
// or 0.155 to 0.175 ms for a call, in spells of 10 ms to seconds, while the peak stayed within 1%.
#pragma once

#include "tuner/timing.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace lamina {

class CoreObservers;

// One measured value, and what the looks before and after it saw.
struct WatchedSample {
    double value = 0;
    double issued = 0; // instructions per cycle, the lower of two looks
};

class CoreWatch {
public:
    // Looks a few hundred times, about 3 ms.
    CoreWatch();

    // From now on a look is at all cores that this process may use, at the same time, and gives the least
    // that one of them issues: kernels of several threads wait for the slowest, and two hardware threads may
    // be lent of one core. A look takes these cores from who runs there, and some 100 microseconds.
    void watch_all_cores();

    // Instructions per cycle that this core issues now of a loop that fills all its slots; about 8
    // microseconds. Half of what it can where another thread is at work on it. 0 on CPUs that the loop is not
    // written for.
    double look();

    // The value of a measurement between two looks; one look serves the sample before it and the one after.
    template <class Measure>
    WatchedSample sample(const Measure& measure) {
        const double before = last_, value = measure();
        return {value, std::min(before, look())};
    }

    // The same of calls of `run`, in seconds: one of them, or as many as take a millisecond between looks
    // that take other threads' cores. Those have to come back first, in calls that do not count.
    template <class Run>
    void sample_calls(const Run& run, std::vector<WatchedSample>& calls) {
        constexpr double seconds_between_looks = 0.001, seconds_until_back = 0.0002;
        const double before = last_;
        const std::size_t first = calls.size();
        if (observers_)
            for (const double start = now_seconds(); now_seconds() - start < seconds_until_back;)
                run();
        const double begin = now_seconds();
        for (double now = begin;
             calls.size() == first || (observers_ && now - begin < seconds_between_looks);) {
            run();
            const double end = now_seconds();
            calls.push_back({end - now, 0});
            now = end;
        }
        const double issued = std::min(before, look());
        for (std::size_t i = first; i < calls.size(); ++i)
            calls[i].issued = issued;
    }

    // The most that a look has seen.
    double most() const { return most_; }

private:
    double last_ = 0, most_ = 0;
    std::shared_ptr<CoreObservers> observers_; // of the other cores; none where one core is watched
};

// Whether the core issued about as much as `most`, the most it ever did.
inline bool is_alone(const WatchedSample& sample, double most) {
    return sample.issued >= 0.95 * most;
}

// The values that had the core to themselves.
std::vector<double> undisturbed(std::span<const WatchedSample> samples, double most);

// The same, or all where they are fewer than `fewest`.
std::vector<double> undisturbed_or_all(std::span<const WatchedSample> samples, double most,
                                       std::size_t fewest);

} // namespace lamina
