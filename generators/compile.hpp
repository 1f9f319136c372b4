// From problems to object files: what gengen does for one generator, for a kernel's call and packing on
// several targets.
#pragma once

#include "generators/scratch.hpp"
#include "schedules/choice.hpp"

#include <functional>

namespace lamina {

struct KernelRequest {
    std::string name; // of the C function
    Problem problem;
    std::string schedule;     // family,knob:value,...; "" looks one up
    std::string variant = {}; // of the kernel KERNEL where the name is KERNEL_VARIANT; "" for KERNEL itself
    bool is_packed_in_calls = false; // as a Situation has it
};

struct CompileOptions {
    std::vector<const TargetFacts*> targets; // most demanding first; the last one must suit every machine
    std::string records;                     // folder of schedule records, "" for none
    std::string folder;                      // where the object files go
    bool instrument_addresses = false;       // Halide's asan feature
};

// One compiled function. Scratch is the largest over the targets.
struct CompiledFunction {
    std::string name;
    std::size_t scratch_serial = 0;        // bytes outside parallel loops
    std::size_t scratch_per_thread = 0;    // bytes inside them
    std::vector<std::string> objects;      // paths
    std::vector<Allocation> allocations{}; // of each target in turn
};

struct CompiledKernel {
    KernelRequest request;
    std::vector<Choice> choices; // one per target
    CompiledFunction call;
    CompiledFunction pack; // name "" where the operator has no kernel
    std::int64_t packed_kernel_size = 0;
    std::string error; // why there are no objects, or empty
};

// Compiles one kernel. Errors of the problem, the schedule and Halide come back as a value.
CompiledKernel compile_kernel(const KernelRequest& request, const CompileOptions& options);

// The choice that compile_kernel makes for that target.
Choice choice_for(const KernelRequest& request, const TargetFacts& target, const std::string& records);

// Writes Halide's lowered code of the kernel as text or HTML (by the path's ending), for people; returns what
// went wrong.
std::string write_loop_nest(const KernelRequest& request, const Choice& choice, const TargetFacts& target,
                            const std::string& path);

// Puts object files into one static library; returns what went wrong.
std::string make_archive(const std::vector<std::string>& objects, const TargetFacts& target,
                         const std::string& archive);

// Compiles Halide's runtime for these targets into one object file; returns what went wrong.
std::string compile_halide_runtime(const std::vector<const TargetFacts*>& targets, const std::string& object);

// Sorts targets as CompileOptions wants them; an error for a mix of architectures or of devices and CPUs, or
// an empty list.
struct OrderedTargets {
    std::vector<const TargetFacts*> targets;
    std::string error;
};
OrderedTargets order_targets(const std::vector<std::string>& names);

} // namespace lamina
