// What this machine can do at most, measured: figures are given as fractions of it.
#pragma once

#include "schedules/target_facts.hpp"

#include <optional>

namespace lamina {

struct Peak {
    // Multiply-adds of one core with the target's vectors, two operations each, 1e9 a second.
    double gflops = 0;
    // Bytes read and written by one core's copy of memory beyond the caches, 1e9 a second.
    double copy_gbytes = 0;
};

// Takes about 0.2 s on the calling thread. Nothing for devices, whose peak is not the CPU's, and on CPUs that
// the loop is not written for.
std::optional<Peak> measure_peak(const TargetFacts& target);

// Only the arithmetic, the best of about 1 ms.
std::optional<double> measure_gflops(const TargetFacts& target);

// One sample of the arithmetic, some 40 microseconds, to take between the calls of what is compared with it:
// other work on the machine then slows both.
std::optional<double> sample_gflops(const TargetFacts& target);

} // namespace lamina
