// One problem, computed by both libraries: the results against each other, then the times.
#pragma once

#include "benchmarks/versus_onednn/report.hpp"

#include "generators/compile.hpp"

namespace lamina::versus {

struct CompareConditions {
    const TargetFacts& target;
    std::string records; // folder of schedule records, "" for none
    std::vector<int> threads;
    double seconds = 0.3; // to spend on each contender
    // Times that, while too few calls had their cores to themselves.
    double patience = 4;
    CoreWatch watch;
};

// One comparison for each number of threads.
std::vector<Comparison> compare(const KernelRequest& request, const CompareConditions& conditions);

} // namespace lamina::versus
