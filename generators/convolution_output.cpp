#include "generators/convolution_output.hpp"

#include "generators/epilogue.hpp"
#include "generators/input_map.hpp"

namespace lamina {

void define_output(Stages& a, const Problem& problem, const OperatorInputs& inputs, const Halide::Expr& sum,
                   int first) {
    const Problem p = as_convolution(problem);
    const std::vector<Halide::Var> at{a.c, a.is_linear ? a.p : a.x, a.y, a.n};
    EpilogueOperands operands;
    if (p.epilogue.has(Step::bias))
        operands.bias = inputs["bias"](a.c);
    if (p.epilogue.has(Step::residual))
        operands.residual = read(inputs["residual"], p, {at[0], at[1], at[2], at[3]});
    a.output = Halide::Func("result");
    const EpilogueResult result = apply_epilogue(p.epilogue, first, sum, operands);
    if (has_unfolded_gradient(problem)) {
        a.unfolded = Halide::Func("unfolded");
        a.unfolded(at) = result.output;
        a.output(in_memory_order(a, p)) = folded(a, problem, a.unfolded);
    } else if (p.preactivation) {
        a.output(in_memory_order(a, p)) = Halide::Tuple(result.output, result.preactivation);
    } else {
        a.output(in_memory_order(a, p)) = result.output;
    }
}

} // namespace lamina
