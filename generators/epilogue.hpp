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

// The steps from number `first` on, in their order, applied to `sum`.
Halide::Expr apply_epilogue(const Epilogue& epilogue, int first, Halide::Expr sum,
                            const EpilogueOperands& operands);

} // namespace lamina
