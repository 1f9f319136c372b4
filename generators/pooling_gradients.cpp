// The gradients of the pools' inputs, and of max_unpool's: each element of the input asks the windows that
// cover it what they gave for it.
#include "generators/input_map.hpp"
#include "generators/pool_windows.hpp"
#include "generators/problem_generator.hpp"

namespace lamina {

using Halide::Expr;
using Halide::Func;
using Halide::RDom;

namespace {

// All windows over one element of the input, and the output gradient there.
struct Covers {
    Stages stages;
    Cover x, y;
    std::vector<Expr> from; // the output's element of the window
};

Covers covers(const Problem& p) {
    Covers c;
    Stages& a = c.stages;
    const Shape out = output_shape(p);
    a.window = RDom(0, p.kernel_size.width, 0, p.kernel_size.height, "window");
    c.x = cover(a.x, a.window[0], detail::columns(p), out.width);
    c.y = cover(a.y, a.window[1], detail::rows(p), out.height);
    c.from = {a.c, c.x.window, c.y.window, a.n};
    a.sum = Func("sum");
    a.output = Func("result");
    return c;
}

// `given` by each window that covers the element.
void sum_over_windows(Covers& c, const Expr& condition, const Expr& given) {
    Stages& a = c.stages;
    const std::vector<Halide::Var> at{a.c, a.x, a.y, a.n};
    Expr exists = c.x.exists && c.y.exists;
    if (condition.defined())
        exists = exists && condition;
    a.sum(at) = 0.0f;
    a.sum(at) += select(exists, given, 0.0f);
}

Stages build_max_pool_gradient(const Problem& p, const OperatorInputs& inputs) {
    Covers c = covers(p);
    Stages& a = c.stages;
    const Expr here = a.y * p.in.width + a.x;
    sum_over_windows(c, read(inputs["indices"], p, c.from) == here,
                     read(inputs["output_gradient"], p, c.from));
    a.output(in_memory_order(a, p)) = a.sum(a.c, a.x, a.y, a.n);
    return a;
}

Stages build_average_pool_gradient(const Problem& p, const OperatorInputs& inputs) {
    Covers c = covers(p);
    Stages& a = c.stages;
    const Expr count = counted(detail::columns(p), c.x.window, p.count_padding) *
                       counted(detail::rows(p), c.y.window, p.count_padding);
    sum_over_windows(c, Expr(), read(inputs["output_gradient"], p, c.from) / cast<float>(count));
    a.output(in_memory_order(a, p)) = a.sum(a.c, a.x, a.y, a.n);
    return a;
}

// x^exponent for positive x.
Expr positive_power(const Expr& x, double exponent) {
    return exponent == 0    ? Expr(1.0f)
           : exponent == 1  ? x
           : exponent == -1 ? 1.0f / x
                            : pow(x, static_cast<float>(exponent));
}

Stages build_lp_pool_gradient(const Problem& p, const OperatorInputs& inputs) {
    Covers c = covers(p);
    Stages& a = c.stages;
    const double power = p.power.value();
    const Expr norm = read(inputs["output"], p, c.from), x = read(inputs["input"], p, {a.c, a.x, a.y, a.n});
    sum_over_windows(c, norm > 0.0f,
                     read(inputs["output_gradient"], p, c.from) * positive_power(norm, 1 - power));
    const Expr scale = power == 2 ? x
                                  : select(x > 0.0f, positive_power(x, power - 1), x < 0.0f,
                                           -positive_power(-x, power - 1), 0.0f);
    a.output(in_memory_order(a, p)) = scale * a.sum(a.c, a.x, a.y, a.n);
    return a;
}

Stages build_global_max_pool_gradient(const Problem& p, const OperatorInputs& inputs) {
    Stages a;
    const std::vector<Expr> from{a.c, 0, 0, a.n};
    const Expr is_maximum = read(inputs["indices"], p, from) == a.y * p.in.width + a.x;
    a.output = Func("result");
    a.output(in_memory_order(a, p)) = select(is_maximum, read(inputs["output_gradient"], p, from), 0.0f);
    return a;
}

Stages build_global_average_pool_gradient(const Problem& p, const OperatorInputs& inputs) {
    Stages a;
    a.output = Func("result");
    a.output(in_memory_order(a, p)) = read(inputs["output_gradient"], p, {a.c, 0, 0, a.n}) /
                                      (static_cast<float>(p.in.width) * static_cast<float>(p.in.height));
    return a;
}

// Each element asks the positions of its window for the one that its index names; an index outside of the
// window was ignored.
Stages build_max_unpool_gradient(const Problem& p, const OperatorInputs& inputs) {
    Stages a;
    const Shape out = output_shape(p);
    const Padding padding = resolved_padding(p);
    a.window = RDom(0, p.kernel_size.width, 0, p.kernel_size.height, "window");
    const Expr row = a.y * p.stride.height - padding.top + a.window[1],
               column = a.x * p.stride.width - padding.left + a.window[0];
    const Expr is_meant = read(inputs["indices"], p, {a.c, a.x, a.y, a.n}) == row * out.width + column;
    const Expr gradient = read(inputs["output_gradient"], p,
                               {a.c, clamp(column, 0, out.width - 1), clamp(row, 0, out.height - 1), a.n});
    const std::vector<Halide::Var> at{a.c, a.x, a.y, a.n};
    a.sum = Func("sum");
    a.sum(at) = 0.0f;
    a.sum(at) +=
        select(row >= 0 && row < out.height && column >= 0 && column < out.width && is_meant, gradient, 0.0f);
    a.output = Func("result");
    a.output(in_memory_order(a, p)) = a.sum(a.c, a.x, a.y, a.n);
    return a;
}

} // namespace

using MaxPoolInputGradientGenerator =
    OperatorGenerator<Operator::max_pool_input_gradient, build_max_pool_gradient>;
using AveragePoolInputGradientGenerator =
    OperatorGenerator<Operator::average_pool_input_gradient, build_average_pool_gradient>;
using LpPoolInputGradientGenerator =
    OperatorGenerator<Operator::lp_pool_input_gradient, build_lp_pool_gradient>;
using GlobalMaxPoolInputGradientGenerator =
    OperatorGenerator<Operator::global_max_pool_input_gradient, build_global_max_pool_gradient>;
using GlobalAveragePoolInputGradientGenerator =
    OperatorGenerator<Operator::global_average_pool_input_gradient, build_global_average_pool_gradient>;
using MaxUnpoolInputGradientGenerator =
    OperatorGenerator<Operator::max_unpool_input_gradient, build_max_unpool_gradient>;

} // namespace lamina

HALIDE_REGISTER_GENERATOR(lamina::MaxPoolInputGradientGenerator, max_pool_input_gradient)
HALIDE_REGISTER_GENERATOR(lamina::AveragePoolInputGradientGenerator, average_pool_input_gradient)
HALIDE_REGISTER_GENERATOR(lamina::LpPoolInputGradientGenerator, lp_pool_input_gradient)
HALIDE_REGISTER_GENERATOR(lamina::GlobalMaxPoolInputGradientGenerator, global_max_pool_input_gradient)
HALIDE_REGISTER_GENERATOR(lamina::GlobalAveragePoolInputGradientGenerator, global_average_pool_input_gradient)
HALIDE_REGISTER_GENERATOR(lamina::MaxUnpoolInputGradientGenerator, max_unpool_input_gradient)
