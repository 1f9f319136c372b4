// The gradients of kernels of one element, from maps as they are.
#pragma once

#include "generators/problem_generator.hpp"

namespace lamina {

// One sum for each pair of channels over a strip of positions, whatever rows and images these belong to; the
// output adds up the strips.
Stages pointwise_kernel_gradient(const Problem& problem, const OperatorInputs& inputs);

} // namespace lamina
