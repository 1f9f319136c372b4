// Times both libraries' kernels in turns, so that a slow spell of the machine hurts both.
#pragma once

#include "tuner/core_watch.hpp"
#include "tuner/peak.hpp"

#include <functional>
#include <vector>

namespace lamina::versus {

struct DuelConditions {
    const TargetFacts& target;
    double seconds = 0.3; // to spend on each contender
    double patience = 4;  // times that, while too few calls had their cores to themselves
    int threads = 1;
    CoreWatch watch; // that has seen the core for a while
};

struct DuelTime {
    double seconds = 0; // median of a call
    double alone = 0;   // the part of the calls that had the core to themselves; the median is theirs, or of
                        // all calls where it is 0
    int calls = 0;
};

struct DuelResult {
    std::vector<DuelTime> times; // by contender
    double peak_gflops = 0;      // of one core, the median beside the calls; 0 where none can be measured
};

// Each contender is a call that can be repeated. One thread is pinned to its core meanwhile.
DuelResult play_duel(const std::vector<std::function<void()>>& contenders, const DuelConditions& conditions);

} // namespace lamina::versus
