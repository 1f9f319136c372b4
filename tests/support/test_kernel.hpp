// Compiled kernels, called on operands between forbidden pages.
#pragma once

#include "tests/reference/tensor.hpp"
#include "tests/support/guarded_buffer.hpp"
#include "tuner/loaded_kernel.hpp"

namespace lamina::testing {

struct CallConditions {
    Flush flush = Flush::to_end; // of every operand, the packed kernel and the scratch
    int threads = 1;
    bool is_in_place = false; // every output that may take an input's memory does
};

struct CallResult {
    Tensors outputs;
    std::string error; // why there are none, or empty
};

class TestKernel {
public:
    TestKernel(const Problem& problem, const TargetFacts& target, const std::string& schedule);

    // Why the kernel could not be compiled or loaded, or empty.
    const std::string& error() const { return kernel_.error(); }
    // Family and all knobs, as chosen.
    std::string schedule() const;
    // Packs the kernel where there is one, then calls on the input operands among `operands`.
    CallResult call(const Tensors& operands, const CallConditions& conditions = {}) const;

private:
    Problem problem_;
    LoadedKernel kernel_;
};

// The outputs of one call on the best target that this machine can run, with the default schedule. Throws
// std::runtime_error where there are none.
Tensors outputs_of(const Problem& problem, const Tensors& operands);

// The CPU targets that this machine can run, least demanding first.
std::vector<const TargetFacts*> runnable_targets();

} // namespace lamina::testing
