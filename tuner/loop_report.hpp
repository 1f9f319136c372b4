// A compiled kernel's hot loop and its bound: what `lamina explain` shows and `lamina bench` puts beside the
// time.
#pragma once

#include "tuner/cpu_models.hpp"
#include "tuner/loaded_kernel.hpp"
#include "tuner/machine_model.hpp"

namespace lamina {

struct LoopReport {
    std::optional<HotLoop> loop;
    CpuChoice cpu;
    LoopBound bound;
    std::string reason; // why there is no loop or no bound, or empty

    // Loads and stores through the stack's pointer in the loop.
    std::optional<int> spills() const;
    // What the model lets the loop reach of the CPU's multiply-adds; nothing for loops without any.
    std::optional<double> bound_fraction() const;
};

// Of the kernel's call; its object files must still be there. `cpu` as in choose_cpu().
LoopReport inspect(const CompiledKernel& kernel, const TargetFacts& target, const std::string& cpu = "");
LoopReport inspect(const LoadedKernel& kernel, const TargetFacts& target, const std::string& cpu = "");

} // namespace lamina
