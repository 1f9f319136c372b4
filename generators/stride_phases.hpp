// Transposed convolutions with a stride, and the input gradients that are such.
#pragma once

#include "generators/problem_generator.hpp"

namespace lamina {

// One sum for each phase of the stride, over those elements of the kernel alone that meet an element of the
// input and none of the zeros between them. Each phase is an update of the output.
Stages stride_phases(const Problem& problem, const OperatorInputs& inputs);

} // namespace lamina
