// What became of a schedule: memory, the hot loop, its bound and the machine's, for lamina explain.
#pragma once

#include "tuner/loop_report.hpp"
#include "tuner/peak.hpp"

namespace lamina::tools {

struct CompiledCode {
    std::vector<Allocation> allocations;
    LoopReport report;
    std::optional<Peak> peak; // of this machine, where the code and the CPU are its own
    std::string no_peak;      // why there is none
    std::string error;        // why there is no code
};

// Compiles the kernel, and measures the machine where that belongs to it.
CompiledCode compile_and_inspect(const KernelRequest& request, const TargetFacts& target,
                                 const std::string& records, const std::string& cpu);

void print_memory(const std::vector<Allocation>& allocations);
void print_hot_loop(const LoopReport& report);
void print_roofline(const Problem& problem, const CompiledCode& code);

// The long ones: every port, and every line of the loop with its ports.
void print_listing(const LoopReport& report);

} // namespace lamina::tools
