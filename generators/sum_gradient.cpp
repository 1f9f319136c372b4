#include "generators/sum_gradient.hpp"

#include "generators/epilogue.hpp"

namespace lamina {

Halide::Func sum_gradient(const Problem& problem, const OperatorInputs& inputs) {
    const Halide::Func& output_gradient = inputs["output_gradient"];
    if (!takes_slope(problem))
        return output_gradient;
    const std::vector<Halide::Var> at = output_gradient.args();
    const Step step = *activation_of(problem.epilogue);
    const std::string_view source = slope_operand(problem.epilogue);
    const Halide::Expr told = inputs[source](at);
    const Halide::Expr value = source == "output" ? told : activation(step, problem.epilogue, told);
    Halide::Func gradient("sum_gradient");
    gradient(at) = output_gradient(at) * activation_slope(step, problem.epilogue, value, told);
    return gradient;
}

} // namespace lamina
