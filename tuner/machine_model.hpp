// How fast a loop can run on a CPU, by LLVM's model of its pipeline (what llvm-mca shows).
#pragma once

#include "tuner/hot_loop.hpp"

namespace lamina {

struct PortUse {
    std::string port; // LLVM's name of the resource, its unit's number behind it where it has several
    double cycles;    // of one turn that it is taken for
};

// Everything is taken to be in the L1 cache, branches to be predicted, loads and stores not to meet.
struct LoopBound {
    std::string error;                         // why there is no bound, or empty
    std::string model;                         // LLVM's name of the CPU whose pipeline is simulated
    std::string model_reason;                  // why it is another than the CPU that was asked for, or empty
    double cycles = 0;                         // of a turn, when the pipeline is full
    int micro_operations = 0;                  // of a turn
    int dispatch_width = 0;                    // micro-operations a cycle
    std::vector<PortUse> ports;                // those that the loop uses, in the model's order
    std::vector<std::vector<PortUse>> by_line; // of each line of the loop
    std::string bottleneck;                    // what keeps a turn from being shorter
    double products_per_cycle = 0;             // multiply-adds of elements
    double peak_products_per_cycle = 0;        // of independent multiply-adds of the target's vectors

    double gflops_per_ghz() const { return 2 * products_per_cycle; }
    double fraction_of_peak() const {
        return peak_products_per_cycle > 0 ? products_per_cycle / peak_products_per_cycle : 0;
    }

    int simulated_turns = 0;
    unsigned simulated_cycles = 0; // of all of them, filling and draining included
};

// `cpu` is one of modelled_cpus(); `vector_bytes` those of the target's vectors, which the peak is for.
LoopBound bound_loop(const HotLoop& loop, const std::string& cpu, int vector_bytes);

} // namespace lamina
