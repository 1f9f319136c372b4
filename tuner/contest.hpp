// Times kernels against each other on a machine that is never quiet: in turns, so that a slow spell hurts all
// alike, and as ratios to one of them within each turn. Calls that shared their core with others' work are
// left out where enough did not.
#pragma once

#include "tuner/candidate.hpp"
#include "tuner/core_watch.hpp"

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
    Contest(std::vector<ReadyKernel*> contenders, CoreWatch& watch);

    // Each contender in turn runs for about `seconds`, at least once, and up to three times as long while
    // none of its calls had the core to itself.
    void play_round(double seconds);
    Standing standing(std::size_t contender) const;
    std::size_t size() const { return contenders_.size(); }

private:
    struct Turn {
        double seconds = 0;    // median of its calls
        bool is_alone = false; // whether these had the core to themselves
    };

    CoreWatch& watch_;
    std::vector<ReadyKernel*> contenders_;
    std::vector<std::vector<Turn>> turns_; // by contender and round

    Turn turn(ReadyKernel& kernel, double seconds);
};

} // namespace lamina
