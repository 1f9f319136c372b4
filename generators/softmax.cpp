// softmax over the channels, shifted by the largest of them so that no exponential overflows, and its
// gradient.
#include "generators/input_map.hpp"
#include "generators/problem_generator.hpp"

#include <limits>

namespace lamina {

using Halide::Func;

namespace {

Stages build_softmax(const Problem& p, const OperatorInputs& inputs) {
    Stages a;
    const Func& input = inputs["input"];
    const Halide::RDom k(0, p.in.channels, "k");
    Func largest("largest"), exponential("exponential"), total("total");
    largest(a.x, a.y, a.n) = -std::numeric_limits<float>::infinity();
    largest(a.x, a.y, a.n) = max(largest(a.x, a.y, a.n), read(input, p, {k, a.x, a.y, a.n}));
    exponential(a.c, a.x, a.y, a.n) = exp(read(input, p, {a.c, a.x, a.y, a.n}) - largest(a.x, a.y, a.n));
    total(a.x, a.y, a.n) = 0.0f;
    total(a.x, a.y, a.n) += exponential(k, a.x, a.y, a.n);
    a.shared = {largest, exponential, total};
    a.output = Func("result");
    a.output(in_memory_order(a, p)) = exponential(a.c, a.x, a.y, a.n) / total(a.x, a.y, a.n);
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
