// The losses of each position and their gradients. Their maps with one value a position are those of one
// channel.
#include "generators/exponentials.hpp"
#include "generators/problem_generator.hpp"

namespace lamina {

using Halide::Expr;
using Halide::Func;

namespace {

// The position's label; one that no channel has is taken for the nearest that there is, because nothing else
// can be read.
Expr label(const Stages& a, const Problem& p, const OperatorInputs& inputs) {
    return clamp(read(inputs["labels"], p, {0, a.x, a.y, a.n}), 0, p.in.channels - 1);
}

Expr distance(const Problem& p, const OperatorInputs& inputs, const std::vector<Expr>& at) {
    return read(inputs["input"], p, at) - read(inputs["target"], p, at);
}

Stages build_softmax_cross_entropy(const Problem& p, const OperatorInputs& inputs) {
    Stages a;
    const Exponentials e = shifted_exponentials(a, p, inputs["input"]);
    const Expr labelled = read(inputs["input"], p, {label(a, p, inputs), a.x, a.y, a.n});
    a.output = Func("result");
    a.output(in_memory_order(a, p)) = log(e.total(a.x, a.y, a.n)) - (labelled - e.largest(a.x, a.y, a.n));
    return a;
}

Stages build_softmax_cross_entropy_gradient(const Problem& p, const OperatorInputs& inputs) {
    Stages a;
    const Exponentials e = shifted_exponentials(a, p, inputs["input"]);
    const Expr probability = e.exponential(a.c, a.x, a.y, a.n) / e.total(a.x, a.y, a.n);
    const Expr wanted = select(a.c == label(a, p, inputs), 1.0f, 0.0f);
    a.output = Func("result");
    a.output(in_memory_order(a, p)) =
        (probability - wanted) * read(inputs["output_gradient"], p, {0, a.x, a.y, a.n});
    return a;
}

Stages build_mean_squared_error(const Problem& p, const OperatorInputs& inputs) {
    Stages a;
    const Halide::RDom k(0, p.in.channels, "k");
    const Expr error = distance(p, inputs, {k, a.x, a.y, a.n});
    Func total("total");
    total(a.x, a.y, a.n) = 0.0f;
    total(a.x, a.y, a.n) += error * error;
    a.shared = {total};
    a.output = Func("result");
    a.output(in_memory_order(a, p)) = total(a.x, a.y, a.n) / static_cast<float>(p.in.channels);
    return a;
}

Stages build_mean_squared_error_gradient(const Problem& p, const OperatorInputs& inputs) {
    Stages a;
    const Expr slope = distance(p, inputs, {a.c, a.x, a.y, a.n}) * (2.0f / static_cast<float>(p.in.channels));
    a.output = Func("result");
    a.output(in_memory_order(a, p)) = slope * read(inputs["output_gradient"], p, {0, a.x, a.y, a.n});
    return a;
}

} // namespace

using SoftmaxCrossEntropyGenerator =
    OperatorGenerator<Operator::softmax_cross_entropy, build_softmax_cross_entropy>;
using SoftmaxCrossEntropyInputGradientGenerator =
    OperatorGenerator<Operator::softmax_cross_entropy_input_gradient, build_softmax_cross_entropy_gradient>;
using MeanSquaredErrorGenerator = OperatorGenerator<Operator::mean_squared_error, build_mean_squared_error>;
using MeanSquaredErrorInputGradientGenerator =
    OperatorGenerator<Operator::mean_squared_error_input_gradient, build_mean_squared_error_gradient>;

} // namespace lamina

HALIDE_REGISTER_GENERATOR(lamina::SoftmaxCrossEntropyGenerator, softmax_cross_entropy)
HALIDE_REGISTER_GENERATOR(lamina::SoftmaxCrossEntropyInputGradientGenerator,
                          softmax_cross_entropy_input_gradient)
HALIDE_REGISTER_GENERATOR(lamina::MeanSquaredErrorGenerator, mean_squared_error)
HALIDE_REGISTER_GENERATOR(lamina::MeanSquaredErrorInputGradientGenerator, mean_squared_error_input_gradient)
