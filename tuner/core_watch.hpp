// Which samples of a measurement had their core to themselves. Where a machine is lent out by hardware
// threads, work of others on the core's second thread takes issue slots, load ports and caches from a kernel,
// but next to nothing from a loop of multiply-adds on registers, so that a fraction of the measured peak
// falls for no fault of the kernel. Seen on a Zen 3: a 3x3 convolution that stays in the L2 cache took 0.139
// or 0.155 to 0.175 ms for a call, in spells of 10 ms to seconds, while the peak stayed within 1%.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace lamina {

// One measured value, and what the looks before and after it saw.
struct WatchedSample {
    double value = 0;
    double issued = 0; // instructions per cycle, the lower of two looks
};

class CoreWatch {
public:
    // Looks a few hundred times, about 3 ms.
    CoreWatch();

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

    // The most that a look has seen.
    double most() const { return most_; }

private:
    double last_ = 0, most_ = 0;
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
