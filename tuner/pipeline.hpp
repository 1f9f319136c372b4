// A run of instructions through LLVM's model of a CPU's pipeline. Included only by sources that use LLVM.
#pragma once

#include "tuner/disassembler.hpp"

namespace lamina {

struct PipelineRun {
    std::string error; // why there was none, or empty
    int turns = 0;
    unsigned total_cycles = 0;
    double cycles = 0;              // of a turn, once the pipeline is full
    double cycles_of_resources = 0; // of a turn, if nothing ever waited for a result
    int micro_operations = 0, dispatch_width = 0;
    std::vector<std::string> ports;            // names of the model's resources, a name per unit
    std::vector<std::vector<double>> pressure; // [instruction][port], cycles of a turn
    // Cycles in which instructions waited, by what for.
    unsigned waits_for_resources = 0, waits_for_registers = 0, waits_for_memory = 0;
};

// `instructions` one after another, `turns` times.
PipelineRun run_pipeline(const Disassembler& disassembler, const std::vector<llvm::MCInst>& instructions,
                         const std::string& cpu, int turns);

} // namespace lamina
