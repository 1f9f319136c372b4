// softmax over the channels and its gradient.
#include "generators/exponentials.hpp"
#include "generators/problem_generator.hpp"

namespace lamina {

using Halide::Func;

namespace {

Stages build_softmax(const Problem& p, const OperatorInputs& inputs) {
    Stages a;
    const Exponentials e = shifted_exponentials(a, p, inputs["input"]);
    a.output = Func("result");
    a.output(in_memory_order(a, p)) = e.exponential(a.c, a.x, a.y, a.n) / e.total(a.x, a.y, a.n);
    return a;
}

Stages build_softmax_gradient(const Problem& p, const OperatorInputs& inputs) {
    Stages a;
    const Func &output = inputs["output"], &gradient = inputs["output_gradient"];
    const Halide::RDom k(0, p.in.channels, "k");
    const std::vector<Halide::Expr> at{a.c, a.x, a.y, a.n}, other{k, a.x, a.y, a.n};
    Func mean("mean"); // of the gradients, weighted by the probabilities
    mean(a.x, a.y, a.n) = 0.0f;
    mean(a.x, a.y, a.n) += read(gradient, p, other) * read(output, p, other);
    a.shared = {mean};
    a.output = Func("result");
    a.output(in_memory_order(a, p)) = read(output, p, at) * (read(gradient, p, at) - mean(a.x, a.y, a.n));
    return a;
}

} // namespace

using SoftmaxGenerator = OperatorGenerator<Operator::softmax, build_softmax>;
using SoftmaxInputGradientGenerator =
    OperatorGenerator<Operator::softmax_input_gradient, build_softmax_gradient>;

} // namespace lamina

HALIDE_REGISTER_GENERATOR(lamina::SoftmaxGenerator, softmax)
HALIDE_REGISTER_GENERATOR(lamina::SoftmaxInputGradientGenerator, softmax_input_gradient)
