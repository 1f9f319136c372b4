// The operands of a kernel's two functions, and what they demand of a CPU: what headers and loaders describe
// kernels with.
#pragma once

#include "lamina/shapes.hpp"
#include "schedules/target_facts.hpp"

namespace lamina {

// dsl's operands with the packed kernel in the kernel's place.
Operands call_operands(const Problem& problem, std::int64_t packed_kernel_size);
Operands pack_operands(const Problem& problem, std::int64_t packed_kernel_size);

// Halide's feature bits, as its runtime takes them.
using CpuFeatures = std::array<std::uint64_t, 2>;
CpuFeatures feature_bits(const Halide::Target& target);
CpuFeatures cpu_features(const TargetFacts& target);

} // namespace lamina
