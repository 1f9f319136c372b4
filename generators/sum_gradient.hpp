// What all gradients of a layer begin with: the way back through its epilogue.
#pragma once

#include "generators/problem_generator.hpp"

namespace lamina {

// The loss's gradient with respect to what the gradient operator's operand is added to, the sums for inputs
// and kernels: output_gradient, times the activation's slope where that comes behind. With output_gradient's
// arguments.
Halide::Func sum_gradient(const Problem& problem, const OperatorInputs& inputs);

} // namespace lamina
