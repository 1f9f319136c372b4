// One schedule on its way through the tuner: compiled and checked in a child process, then loaded and timed
// here.
#pragma once

#include "tuner/child_task.hpp"
#include "tuner/loaded_kernel.hpp"
#include "tuner/operand_data.hpp"
#include "tuner/search_space.hpp"

namespace lamina {

// The default's results, which every candidate must give too.
struct ExpectedOutputs {
    std::vector<std::vector<float>> outputs; // of 32-bit elements, in the order of the operands
};

// A kernel with its operands and its context, ready to be called and timed on one thread.
class ReadyKernel {
public:
    ReadyKernel(CompiledKernel compiled, const TargetFacts& target);
    ReadyKernel(const ReadyKernel&) = delete;
    ReadyKernel& operator=(const ReadyKernel&) = delete;
    ~ReadyKernel();

    const std::string& error() const { return error_; } // why it cannot be called, or ""
    bool run();
    const LoadedKernel& loaded() const { return loaded_; }
    ExpectedOutputs outputs() const;

private:
    LoadedKernel loaded_;
    std::unique_ptr<OperandData> data_;
    lamina_context context_{};
    std::string error_;
};

// How far `got` is from `expected`, as a reason to refuse it, or "". Data are small integers, so that sums
// are exact in any order; a difference within 5e-5 of the largest output is left to activations and to
// algorithms that round.
std::string why_different(const ExpectedOutputs& got, const ExpectedOutputs& expected);

// Compiles the point's kernel into `folder`, runs it and compares it with what is expected, all in a child
// that keeps to `cores`.
ChildTask start_candidate(const Situation& situation, const Point& point, const std::string& folder,
                          const ExpectedOutputs& expected, const std::vector<int>& cores);

// The kernel that start_candidate's child compiled, from the text it returned; error says what went wrong
// there.
CompiledKernel finish_candidate(const Situation& situation, const Point& point, const ChildTask& task);

} // namespace lamina
