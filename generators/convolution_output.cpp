#include "generators/convolution_output.hpp"

#include "generators/epilogue.hpp"
#include "generators/input_map.hpp"
#include "generators/pool_windows.hpp"

#include <limits>

namespace lamina {

using Halide::Expr;
using Halide::Func;

namespace {

// The largest of what `value` is at the positions of each window.
void define_pool(Stages& a, const Problem& problem, const Expr& value) {
    const Problem pool = pooling_part(problem);
    const auto row = [&](const Expr& y) { return nearest(y, detail::rows(pool)); };
    const auto column = [&](const Expr& x) { return nearest(x, detail::columns(pool)); };
    PoolStages& w = a.pool;
    w.window = Halide::RDom(0, pool.kernel_size.width, 0, pool.kernel_size.height, "pool_window");
    w.map = Func("unpooled");
    const Expr x = a.x * pool.stride.width + w.window[0], y = a.y * pool.stride.height + w.window[1];
    Expr element;
    if (a.is_linear) {
        w.map(a.c, a.p, a.y, a.n) = value;
        element = w.map(a.c, row(y) * pool.in.width + column(x), 0, a.n);
    } else {
        Func inside("inside");
        inside(a.c, a.x, a.y, a.n) = value;
        w.map(a.c, a.x, a.y, a.n) = inside(a.c, column(a.x), row(a.y), a.n);
        element = w.map(a.c, x, y, a.n);
    }
    const std::vector<Halide::Var> at{a.c, a.x, a.y, a.n};
    w.maximum = Func("maximum");
    w.maximum(at) = -std::numeric_limits<float>::infinity();
    w.maximum(at) = max(w.maximum(at), element);
    a.output(in_memory_order(a, problem)) = w.maximum(at);
}

} // namespace

void define_output(Stages& a, const Problem& problem, const OperatorInputs& inputs, const Expr& sum,
                   int first) {
    const Problem p = as_convolution(problem);
    const std::vector<Halide::Var> at{a.c, a.is_linear ? a.p : a.x, a.y, a.n};
    EpilogueOperands operands;
    if (p.epilogue.has(Step::bias))
        operands.bias = inputs["bias"](a.c);
    if (p.epilogue.has(Step::residual))
        operands.residual = read(inputs["residual"], p, {at[0], at[1], at[2], at[3]});
    a.output = Func("result");
    const EpilogueResult result = apply_epilogue(p.epilogue, first, sum, operands);
    if (problem.op == Operator::pooled_cross_correlation) {
        define_pool(a, problem, result.output);
    } else if (has_unfolded_gradient(problem)) {
        a.unfolded = Func("unfolded");
        a.unfolded(at) = result.output;
        a.output(in_memory_order(a, p)) = folded(a, problem, a.unfolded);
    } else if (p.preactivation) {
        a.output(in_memory_order(a, p)) = Halide::Tuple(result.output, result.preactivation);
    } else {
        a.output(in_memory_order(a, p)) = result.output;
    }
}

} // namespace lamina
