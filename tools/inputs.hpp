// What the subcommands take as problems: texts, headers with networks, lists of kernels, suites.
#pragma once

#include "generators/library.hpp"
#include "tools/command.hpp"

#include <string>
#include <vector>

namespace lamina::tools {

struct InputOptions {
    std::string network;  // the variable in a header, "" for the usual name
    std::string schedule; // for problems given as text
};

struct InputKernels {
    std::vector<KernelRequest> kernels;
    std::string error;
    Exit code = exit_usage;                 // of the error
    std::vector<NetworkLayer> network = {}; // of a header
};

// Told from a file's name by its `=`.
bool is_problem(const std::string& text);

// The kernels of one input: a problem, a header with a network, or a text file with lines `NAME: PROBLEM`.
// Problems given as text are numbered for their names.
InputKernels kernels_of(const std::string& input, const InputOptions& options, std::size_t number);

struct SuiteProblem {
    std::string problem;
    int count = 1; // how often the suite's network has it
};

// The problems of a suite, one a line, `COUNT *` in front of what occurs several times; # begins a comment.
// `NAME:kernel_gradient` and the like are those gradients of its problems. An error where there is none of
// that name.
std::vector<SuiteProblem> read_suite(const std::string& text, std::string& error);

// The kernels of all inputs and of a suite, "" for none, each problem once.
InputKernels all_kernels_of(std::vector<std::string> inputs, const std::string& suite,
                            const std::string& network);

} // namespace lamina::tools
