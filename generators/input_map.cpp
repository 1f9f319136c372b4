#include "generators/input_map.hpp"

namespace lamina {

using Halide::Expr;

namespace {

// Padded coordinate -> input coordinate along one axis, and whether there is an input element at all.
struct Source {
    Expr index;
    Expr exists; // undefined where it always does
};

struct AxisMap {
    int size;  // of the input
    int begin; // padding before it
    int step;  // padded positions between neighbouring input elements
    bool reaches_outside;
};

Expr magnitude(const Expr& x) {
    return cast<int>(abs(x));
} // Halide's abs() of an int is unsigned

Source source(const AxisMap& axis, PaddingMode mode, const Expr& position) {
    const Expr at = axis.begin == 0 ? position : position - axis.begin;
    if (!axis.reaches_outside)
        return {at, Expr()};
    switch (mode) {
    case PaddingMode::reflect: // |x| mirrors at the first element, and (S-1) - |(S-1) - x| at the last
        return {(axis.size - 1) - magnitude((axis.size - 1) - magnitude(at)), Expr()};
    case PaddingMode::replicate:
        return {clamp(at, 0, axis.size - 1), Expr()};
    case PaddingMode::circular:
        return {(at + axis.size) % axis.size, Expr()};
    case PaddingMode::zeros:
        break;
    }
    if (axis.step == 1)
        return {clamp(at, 0, axis.size - 1), at >= 0 && at < axis.size};
    return {clamp(at / axis.step, 0, axis.size - 1),
            at >= 0 && at < axis.size * axis.step && at % axis.step == 0};
}

// A transposed operator is a window operator of stride 1 over its input with `stride - 1` zeros between the
// elements and extent - 1 - padding around them.
AxisMap axis_map(const Problem& p, const detail::Axis& axis, std::int64_t outputs) {
    const bool transposed = p.op == Operator::transposed_convolution;
    const std::int64_t begin = transposed ? axis.extent() - 1 - axis.begin : axis.begin;
    const std::int64_t step = transposed ? axis.stride : 1, stride = transposed ? 1 : axis.stride;
    const std::int64_t reach = (outputs - 1) * stride + axis.extent();
    return {static_cast<int>(axis.size), static_cast<int>(begin), static_cast<int>(step),
            begin != 0 || step != 1 || reach > begin + axis.size};
}

AxisMap column_map(const Problem& p) {
    return axis_map(p, detail::columns(p), output_shape(p).width);
}
AxisMap row_map(const Problem& p) {
    return axis_map(p, detail::rows(p), output_shape(p).height);
}

Expr both(const Expr& a, const Expr& b) {
    return !a.defined() ? b : !b.defined() ? a : a && b;
}

} // namespace

Expr read(const Halide::Func& map, const Problem& problem, std::vector<Expr> cxyn) {
    if (problem.layout == Layout::nchw)
        return map(cxyn[1], cxyn[2], cxyn[0], cxyn[3]);
    return map(cxyn);
}

std::vector<Halide::Var> in_memory_order(const Stages& a, const Problem& problem) {
    const Halide::Var& position = a.is_linear ? a.p : a.x;
    if (problem.layout == Layout::nchw)
        return {position, a.y, a.c, a.n};
    return {a.c, position, a.y, a.n};
}

Halide::Func padded_input(Stages& a, const Problem& problem, const Halide::Func& input, const Expr& outside) {
    const AxisMap columns = column_map(problem), rows = row_map(problem);
    if (!columns.reaches_outside && !rows.reaches_outside && problem.layout == Layout::nhwc)
        return input;
    const Source x = source(columns, problem.padding_mode, a.x), y = source(rows, problem.padding_mode, a.y);
    const Expr exists = both(x.exists, y.exists), value = read(input, problem, {a.c, x.index, y.index, a.n});
    a.padded = Halide::Func("padded");
    a.padded(a.c, a.x, a.y, a.n) = exists.defined() ? select(exists, value, outside) : value;
    return a.padded;
}

Expr is_inside(const Problem& problem, const Expr& x, const Expr& y) {
    const AxisMap columns = column_map(problem), rows = row_map(problem);
    return x >= columns.begin && x < columns.begin + columns.size && y >= rows.begin &&
           y < rows.begin + rows.size;
}

} // namespace lamina
