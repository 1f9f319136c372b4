// Runs kernels of another architecture under an emulator, to check their results.
#pragma once

#include "tuner/candidate.hpp"

namespace lamina::tools {

// Why kernels for the target cannot be run here under an emulator, or "": it takes a cross compiler, for the
// program around the kernel, and the emulator.
std::string why_not_emulated(const TargetFacts& target);

// What calls of the default's kernel on this machine's CPU give, for why_wrong_emulated(), or an error.
struct EmulationReference {
    ExpectedOutputs outputs;
    std::string error;
};
EmulationReference emulation_reference(const Problem& problem);

// Links the kernel's objects with a program that packs and calls it once, runs it, and compares its outputs.
std::string why_wrong_emulated(const CompiledKernel& kernel, const TargetFacts& target,
                               const ExpectedOutputs& expected);

} // namespace lamina::tools
