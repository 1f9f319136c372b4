// How far a kernel's results may lie from the reference: not at all, with stated exceptions.
#pragma once

#include "tests/reference/tensor.hpp"

#include <span>

namespace lamina::testing {

struct Tolerance {
    std::string_view what;
    double relative; // to the exact result
    double absolute;
    std::string_view reason;
};

// Every exception there is.
std::span<const Tolerance> tolerance_table();

// The tolerance of the problem's output, and of adam's moments; zeros where its arithmetic is exact, as it is
// in sums of products of the operands that random_operands() makes.
Tolerance tolerance_of(const Problem& problem);

// The same of what a kernel with that schedule computes.
Tolerance tolerance_of(const Problem& problem, std::string_view schedule);

// The first element that lies too far off, its place and both values; empty where there is none.
std::string difference(const Problem& problem, std::string_view operand, const TestTensor& expected,
                       const TestTensor& actual, std::string_view schedule);

} // namespace lamina::testing
