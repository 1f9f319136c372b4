// What stands behind the sums of a convolution.
#pragma once

#include "generators/problem_generator.hpp"

namespace lamina {

// Defines a.output from the sums at (a.c, a.x or a.p, a.y, a.n): the epilogue's steps from number `first` on,
// for the gradient of an input whose padding is not zeros the padding's part, and the pool behind it.
void define_output(Stages& a, const Problem& problem, const OperatorInputs& inputs, const Halide::Expr& sum,
                   int first);

} // namespace lamina
