// The CPUs whose pipelines LLVM models.
#pragma once

#include "schedules/target_facts.hpp"
#include "tuner/object_code.hpp"

namespace lamina {

Architecture architecture_of(const TargetFacts& target);

// LLVM's names, sorted.
std::vector<std::string> modelled_cpus(Architecture architecture);

// LLVM's name of this machine's CPU; "generic" where it knows none.
std::string host_cpu();

// A CPU's name and why it is taken, or an error that names what is known.
struct CpuChoice {
    std::string name, reason, error;
};
// `given` "" takes this machine's where it runs the target and is modelled, otherwise the target's usual one.
CpuChoice choose_cpu(const TargetFacts& target, const std::string& given);

// LLVM's model that stands for a CPU: another one's where the CPU's own is known to be wrong for code with
// vectors of that size, with the reason.
struct ModelName {
    std::string name, reason;
};
ModelName model_for(std::string_view cpu, int vector_bytes);

} // namespace lamina
