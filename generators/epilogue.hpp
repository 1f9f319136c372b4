// The fused steps behind a sum.
#pragma once

#include "lamina/problem_text.hpp"

#include <Halide.h>

namespace lamina {

// What the steps take besides the sum, at the output element that they are applied to.
struct EpilogueOperands {
    Halide::Expr bias, residual;
};

// activation(x), by the formulas in docs/operators.md.
Halide::Expr activation(Step step, const Epilogue& epilogue, const Halide::Expr& x);

// The derivative of the activation whose argument is x and whose value is z. Where slope_operand() names the
// output, x is not looked at.
Halide::Expr activation_slope(Step step, const Epilogue& epilogue, const Halide::Expr& z,
                              const Halide::Expr& x);

// What the steps make of a sum, and what the activation among them is applied to.
struct EpilogueResult {
    Halide::Expr output, preactivation;
};

// The steps from number `first` on, in their order, applied to `sum`.
EpilogueResult apply_epilogue(const Epilogue& epilogue, int first, Halide::Expr sum,
                              const EpilogueOperands& operands);

} // namespace lamina
