// max_pool, average_pool, lp_pool and their global forms: one value gathered from each window.
#include "generators/input_map.hpp"
#include "generators/pool_windows.hpp"
#include "generators/problem_generator.hpp"

#include <limits>

namespace lamina {

using Halide::Expr;
using Halide::Func;
using Halide::RDom;

namespace {

const Expr minus_infinity = -std::numeric_limits<float>::infinity();

// What lies at the window's element (rx, ry) of output (x, y), and where that is in padded coordinates.
struct Tap {
    Expr x, y, value;
};

Tap tap(const Stages& a, const Problem& p, const Func& map) {
    const Expr x = a.x * p.stride.width + a.window[0] * p.dilation.width;
    const Expr y = a.y * p.stride.height + a.window[1] * p.dilation.height;
    return {x, y, map(a.c, x, y, a.n)};
}

Stages window_algorithm(const Problem& p) {
    Stages a;
    a.window = RDom(0, p.kernel_size.width, 0, p.kernel_size.height, "window");
    a.sum = Func("sum");
    a.output = Func("result");
    return a;
}

// The largest of the window's values, and the index of the first of them where the problem asks for it;
// indices count only where `is_element` holds, if that is defined.
void find_maximum(Stages& a, const Problem& p, const Expr& value, const Expr& index, const Expr& is_element) {
    const std::vector<Halide::Var> at{a.c, a.x, a.y, a.n};
    if (!p.indices) {
        a.sum(at) = minus_infinity;
        a.sum(at) = max(a.sum(at), value);
        a.output(in_memory_order(a, p)) = a.sum(at);
        return;
    }
    a.sum(at) = Halide::Tuple(minus_infinity, -1);
    const Expr best = a.sum(at)[0], best_index = a.sum(at)[1];
    const Expr is_larger = value > best || best_index < 0;
    const Expr wins = is_element.defined() ? is_element && is_larger : is_larger;
    a.sum(at) = Halide::Tuple(select(wins, value, best), select(wins, index, best_index));
    a.output(in_memory_order(a, p)) = Halide::Tuple(a.sum(at)[0], a.sum(at)[1]);
}

Stages build_max_pool(const Problem& p, const OperatorInputs& inputs) {
    Stages a = window_algorithm(p);
    const Tap t = tap(a, p, padded_in_place(p, inputs["input"], minus_infinity));
    const Padding padding = resolved_padding(p);
    const Expr index = (t.y - padding.top) * p.in.width + t.x - padding.left;
    find_maximum(a, p, t.value, index, is_inside(p, t.x, t.y));
    return a;
}

Stages build_average_pool(const Problem& p, const OperatorInputs& inputs) {
    Stages a = window_algorithm(p);
    const std::vector<Halide::Var> at{a.c, a.x, a.y, a.n};
    a.sum(at) = 0.0f;
    a.sum(at) += tap(a, p, padded_in_place(p, inputs["input"], 0.0f)).value;
    const Expr count =
        counted(detail::columns(p), a.x, p.count_padding) * counted(detail::rows(p), a.y, p.count_padding);
    a.output(in_memory_order(a, p)) = a.sum(at) / cast<float>(count);
    return a;
}

// |x|^power and its inverse, without a logarithm for the powers in common use.
Expr to_power(const Expr& x, const Problem& p) {
    const double power = p.power.value();
    return power == 1.0 ? abs(x) : power == 2.0 ? x * x : pow(abs(x), static_cast<float>(power));
}
Expr root(const Expr& x, const Problem& p) {
    const double power = p.power.value();
    return power == 1.0 ? x : power == 2.0 ? sqrt(x) : pow(x, static_cast<float>(1.0 / power));
}

Stages build_lp_pool(const Problem& p, const OperatorInputs& inputs) {
    Stages a = window_algorithm(p);
    const std::vector<Halide::Var> at{a.c, a.x, a.y, a.n};
    a.sum(at) = 0.0f;
    a.sum(at) += to_power(tap(a, p, padded_in_place(p, inputs["input"], 0.0f)).value, p);
    a.output(in_memory_order(a, p)) = root(a.sum(at), p);
    return a;
}

Stages global_algorithm(const Problem& p) {
    Stages a;
    a.window = RDom(0, p.in.width, 0, p.in.height, "window");
    a.sum = Func("sum");
    a.output = Func("result");
    return a;
}

Stages build_global_max_pool(const Problem& p, const OperatorInputs& inputs) {
    Stages a = global_algorithm(p);
    const Expr index = a.window[1] * p.in.width + a.window[0];
    find_maximum(a, p, read(inputs["input"], p, {a.c, a.window[0], a.window[1], a.n}), index, Expr());
    return a;
}

Stages build_global_average_pool(const Problem& p, const OperatorInputs& inputs) {
    Stages a = global_algorithm(p);
    const std::vector<Halide::Var> at{a.c, a.x, a.y, a.n};
    a.sum(at) = 0.0f;
    a.sum(at) += read(inputs["input"], p, {a.c, a.window[0], a.window[1], a.n});
    a.output(in_memory_order(a, p)) =
        a.sum(at) / (static_cast<float>(p.in.width) * static_cast<float>(p.in.height));
    return a;
}

} // namespace

using MaxPoolGenerator = OperatorGenerator<Operator::max_pool, build_max_pool>;
using AveragePoolGenerator = OperatorGenerator<Operator::average_pool, build_average_pool>;
using LpPoolGenerator = OperatorGenerator<Operator::lp_pool, build_lp_pool>;
using GlobalMaxPoolGenerator = OperatorGenerator<Operator::global_max_pool, build_global_max_pool>;
using GlobalAveragePoolGenerator =
    OperatorGenerator<Operator::global_average_pool, build_global_average_pool>;

} // namespace lamina

HALIDE_REGISTER_GENERATOR(lamina::MaxPoolGenerator, max_pool)
HALIDE_REGISTER_GENERATOR(lamina::AveragePoolGenerator, average_pool)
HALIDE_REGISTER_GENERATOR(lamina::LpPoolGenerator, lp_pool)
HALIDE_REGISTER_GENERATOR(lamina::GlobalMaxPoolGenerator, global_max_pool)
HALIDE_REGISTER_GENERATOR(lamina::GlobalAveragePoolGenerator, global_average_pool)
