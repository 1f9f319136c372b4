// Integer-valued operands whose sums are exact in fp32 in whatever order they are added.
#pragma once

#include "tests/reference/tensor.hpp"
#include "tests/support/random.hpp"

namespace lamina::testing {

// Every input operand of the problem, the same for the same problem: what its text replays, its data do too.
Tensors random_operands(const Problem& problem);

// The largest magnitude that a partial sum of the problem may reach with such operands.
double largest_sum(const Problem& problem);

} // namespace lamina::testing
