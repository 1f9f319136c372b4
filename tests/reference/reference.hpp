// What every operator means, in plain loops over doubles: straight from the formulas of the operator table,
// and on purpose not the way in which the generators compute it.
#pragma once

#include "tests/reference/tensor.hpp"

namespace lamina::testing {

// Computes every output operand of the problem from its input operands, both by their names in `tensors`. The
// input's tensor settles an open batch. Throws std::logic_error where the operator has no reference.
void reference(const Problem& problem, Tensors& tensors);

bool has_reference(Operator op);

// The sums alone, without epilogue, from the same operands.
void reference_sums(const Problem& problem, Tensors& tensors);

} // namespace lamina::testing
