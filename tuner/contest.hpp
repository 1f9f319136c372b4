// Times kernels against each other on a machine that is never quiet: in turns, so that a slow spell hurts all
// alike, and as ratios to one of them within each turn.
#pragma once

#include "tuner/candidate.hpp"

namespace lamina {

struct Standing {
    double ratio = 0;          // median of its seconds over those of the first contender in the same round
    double low = 0, high = 0;  // the middle half of these ratios
    double median_seconds = 0; // over all rounds
    int rounds = 0;
};

class Contest {
public:
    // All must be able to run. The first is what the others are compared with.
    explicit Contest(std::vector<ReadyKernel*> contenders);

    // Each contender in turn runs for about `seconds`, at least once.
    void play_round(double seconds);
    Standing standing(std::size_t contender) const;
    std::size_t size() const { return contenders_.size(); }

private:
    std::vector<ReadyKernel*> contenders_;
    std::vector<std::vector<double>> seconds_; // by contender and round
};

} // namespace lamina
