// What is known of each target. Families derive their defaults from these facts and ask nothing else about a
// CPU or GPU.
#pragma once

#include <Halide.h>

#include <span>
#include <string>
#include <string_view>

namespace lamina {

// Bytes of a cache line of x86-64, ARM64 and most others, and how many values that is.
constexpr int line_bytes = 64, line_floats = line_bytes / 4;

struct TargetFacts {
    std::string_view name;
    std::string_view halide;   // Halide's target string
    std::string_view machines; // which machines it runs on
    int vector_bytes;          // of the widest register that arithmetic runs in at full rate
    int vector_registers;
    int general_registers;
    int fma_latency;        // cycles; accumulators in flight must cover latency * fma_per_cycle
    int fma_per_cycle;      // vector multiply-adds that start in a cycle
    int l1_bytes, l2_bytes; // data caches of one core
    bool is_gpu;
    std::string_view cpu; // LLVM's name of a usual one, for models of its pipeline; "" for devices

    int lanes() const { return vector_bytes / 4; } // of 32 bits
};

std::span<const TargetFacts> target_table();

// The row of that name, or null.
const TargetFacts* find_target(std::string_view name);

// The most demanding row whose features `target` has; rows differ where schedules should.
const TargetFacts& facts_for(const Halide::Target& target);

// Halide's target for kernels that ship: no runtime of their own, operands checked before the call, not
// inside it.
Halide::Target kernel_target(const TargetFacts& facts);

// Halide's target for this machine's CPU, without what a virtual machine hides of it: Halide 21 goes by an
// AMD one's model, and names AVX-512 on a Zen 4 that has it hidden.
Halide::Target host_target();

// The name of the best row that this machine's CPU can run, without devices.
std::string_view host_target_name();

} // namespace lamina
