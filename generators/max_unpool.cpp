// max_unpool as a gather: each output element asks the windows that cover it whether their maximum was found
// there.
#include "generators/input_map.hpp"
#include "generators/pool_windows.hpp"
#include "generators/problem_generator.hpp"

namespace lamina {

using Halide::Expr;
using Halide::Func;

namespace {

Stages build_max_unpool(const Problem& p, const OperatorInputs& inputs) {
    Stages a;
    a.window = Halide::RDom(0, p.kernel_size.width, 0, p.kernel_size.height, "window");
    const Cover x = cover(a.x, a.window[0], detail::columns(p), p.in.width),
                y = cover(a.y, a.window[1], detail::rows(p), p.in.height);
    const std::vector<Halide::Var> at{a.c, a.x, a.y, a.n};
    const std::vector<Expr> from{a.c, x.window, y.window, a.n};
    const Expr here = a.y * output_shape(p).width + a.x;
    const Expr is_found = x.exists && y.exists && read(inputs["indices"], p, from) == here;
    a.sum = Func("sum");
    a.sum(at) = 0.0f;
    a.sum(at) = select(is_found, read(inputs["input"], p, from), a.sum(at));
    a.output = Func("result");
    a.output(in_memory_order(a, p)) = a.sum(at);
    return a;
}

} // namespace

using MaxUnpoolGenerator = OperatorGenerator<Operator::max_unpool, build_max_unpool>;

} // namespace lamina

HALIDE_REGISTER_GENERATOR(lamina::MaxUnpoolGenerator, max_unpool)
