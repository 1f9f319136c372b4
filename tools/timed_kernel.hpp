// One kernel of lamina bench: compiled, loaded and timed.
#pragma once

#include "generators/compile.hpp"
#include "tuner/core_watch.hpp"
#include "tuner/peak.hpp"
#include "tuner/timing.hpp"

#include <optional>
#include <string>

namespace lamina::tools {

struct TimingConditions {
    const TargetFacts& target;
    std::string records; // folder of schedule records, "" for none
    int threads = 1;
    double seconds = 0.3;     // to spend on a kernel
    std::optional<Peak> peak; // where one is measured for the target
    CoreWatch watch;          // that has seen the core for a while
};

struct Fractions {
    // Of the peak beside it: the medians.
    double median = 0;
    // Of the best peak: the best call.
    double best = 0;
    // Of the copy bandwidth: the bytes moved at least.
    double copy = 0;
};

struct TimedKernel {
    std::string problem, schedule;
    std::string reason; // for that schedule
    std::string error;  // why nothing was timed, or empty
    Timing timing;
    double gflops = 0; // operations a second, 1e9
    std::optional<Fractions> fractions;
    // Of the hot loop; nothing where it was not found or LLVM has no model of the CPU.
    std::optional<int> spills;         // loads and stores through the stack's pointer
    std::optional<double> model_bound; // the machine model's bound as a fraction of the peak
    std::size_t scratch_bytes = 0, code_bytes = 0;
    double compile_seconds = 0;
};

TimedKernel time_kernel(const KernelRequest& request, const TimingConditions& conditions);

} // namespace lamina::tools
