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

// Only the arithmetic, about 1 ms: for bracketing other measurements.
std::optional<double> measure_gflops(const TargetFacts& target);

} // namespace lamina
