// Timing of kernels: one pinned core, many calls, robust statistics.
#pragma once

#include <vector>

namespace lamina {

double now_seconds();

// Cores that the calling thread may run on; empty where that cannot be told.
std::vector<int> allowed_cores();

// Lets the calling thread run on these cores only; changes nothing where there are none.
void allow_cores(const std::vector<int>& cores);

// Keeps the calling thread on the core it runs on, until destruction.
class PinnedCore {
public:
    PinnedCore();
    ~PinnedCore();
    PinnedCore(const PinnedCore&) = delete;
    PinnedCore& operator=(const PinnedCore&) = delete;

    // The cores that were allowed before, beside this one; empty where there are none.
    std::vector<int> others() const;

private:
    std::vector<int> cores_; // that were allowed before; empty where nothing was changed
    int core_ = -1;
};

struct Quartiles {
    double low = 0, median = 0, high = 0;
};

// Of at least one sample.
Quartiles quartiles(std::vector<double> samples);

struct Timing {
    double best = 0, median = 0, spread = 0; // seconds of a call; spread: the middle half of the samples
    int calls = 0;
    // The part of the calls that had the core to themselves, see CoreWatch; the figures are theirs, or of all
    // calls where it is 0.
    double alone = 0;
};

} // namespace lamina
