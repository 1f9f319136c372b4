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
        return {clamp(likely(at), 0, axis.size - 1), at >= 0 && at < axis.size};
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

// One of the padded axis' positions that hold the input's element `at`: number 0 is that in the input itself.
struct Place {
    Expr position, exists;
};

int places_of_element(const detail::Axis& axis, PaddingMode mode) {
    return mode == PaddingMode::replicate ? static_cast<int>(1 + axis.begin + axis.end) : 3;
}

Place place(const detail::Axis& axis, PaddingMode mode, const Expr& at, const Expr& number) {
    const auto begin = static_cast<int>(axis.begin), end = static_cast<int>(axis.end),
               last = static_cast<int>(axis.size) - 1;
    const Expr own = at + begin;
    Expr before, has_before, behind, has_behind; // number 1 and 2, of replicate 1 to begin and those behind
    if (mode == PaddingMode::reflect) {
        before = begin - at;
        has_before = at >= 1 && at <= begin;
        behind = begin + 2 * last - at;
        has_behind = at < last && at >= last - end;
    } else if (mode == PaddingMode::circular) {
        before = own - (last + 1);
        has_before = before >= 0;
        behind = own + last + 1;
        has_behind = at < end;
    } else {
        before = number - 1;
        has_before = at == 0;
        behind = last + number;
        has_behind = at == last;
    }
    const Expr is_before = number <= (mode == PaddingMode::replicate ? begin : 1);
    const Expr position = select(number == 0, own, is_before, before, behind);
    return {clamp(position, 0, begin + last + end),
            number == 0 || (is_before && has_before) || (!is_before && has_behind)};
}

Expr both(const Expr& a, const Expr& b) {
    return !a.defined() ? b : !b.defined() ? a : a && b;
}

// Sets a.padded to what stands at the positions x and y of the padded input.
Halide::Func stored_map(Stages& a, const Problem& problem, const Halide::Func& input, const Expr& outside,
                        const Expr& x, const Expr& y) {
    const Source column = source(column_map(problem), problem.padding_mode, x),
                 row = source(row_map(problem), problem.padding_mode, y);
    Expr value = read(input, problem, {a.c, column.index, row.index, a.n});
    // One condition within the other, so that Halide cuts the loops over rows and over columns by one each.
    if (column.exists.defined())
        value = select(column.exists, likely(value), outside);
    if (row.exists.defined())
        value = select(row.exists, likely(value), outside);
    a.padded = Halide::Func("padded");
    a.padded(a.c, a.x, a.y, a.n) = value;
    return a.padded;
}

} // namespace

Expr read(const Halide::Func& map, const Problem& problem, std::vector<Expr> cxyn) {
    if (problem.layout == Layout::nchw)
        return map(cxyn[1], cxyn[2], cxyn[0], cxyn[3]);
    return map(cxyn);
}

std::vector<Halide::Var> in_memory_order(const Stages& a, const Problem& problem) {
    const Halide::Var& position = a.is_linear && !a.pool.map.defined() ? a.p : a.x;
    if (problem.layout == Layout::nchw)
        return {position, a.y, a.c, a.n};
    return {a.c, position, a.y, a.n};
}

Halide::Func padded_input(Stages& a, const Problem& problem, const Halide::Func& input, const Expr& outside,
                          bool is_computed) {
    const AxisMap columns = column_map(problem), rows = row_map(problem);
    if (!columns.reaches_outside && !rows.reaches_outside && problem.layout == Layout::nhwc && !is_computed)
        return input;
    return stored_map(a, problem, input, outside, a.x, a.y);
}

Halide::Func padded_beyond(Stages& a, const Problem& problem, const Halide::Func& input) {
    const Shape out = output_shape(problem);
    const Size reach = padded_reach(problem, {out.height, out.width});
    return stored_map(a, problem, input, 0.0f, min(a.x, reach.width - 1), min(a.y, reach.height - 1));
}

Halide::Func padded_in_place(const Problem& problem, const Halide::Func& input, const Expr& outside) {
    const auto inside = [](const AxisMap& axis, const Expr& position) -> Source {
        const Expr at = position - axis.begin;
        if (!axis.reaches_outside)
            return {at, Expr()};
        return {clamp(likely(at), 0, axis.size - 1), at >= 0 && at < axis.size};
    };
    const Stages a;
    const Source x = inside(column_map(problem), a.x), y = inside(row_map(problem), a.y);
    const Expr exists = both(x.exists, y.exists), value = read(input, problem, {a.c, x.index, y.index, a.n});
    Halide::Func padded("padded");
    padded(a.c, a.x, a.y, a.n) = exists.defined() ? select(exists, likely(value), outside) : value;
    return padded;
}

Expr read_unpadded(Stages& a, const Problem& problem, const Halide::Func& input, Halide::RDom& window,
                   std::vector<Expr> cxyn, bool is_computed) {
    const AxisMap columns = column_map(problem), rows = row_map(problem);
    Halide::Func map = input;
    if (is_computed) {
        map = a.padded = Halide::Func("padded");
        map(a.c, a.x, a.y, a.n) = read(input, problem, {a.c, a.x, a.y, a.n});
    }
    const Expr row = cxyn[2] - rows.begin, column = cxyn[1] - columns.begin;
    if (rows.reaches_outside)
        window.where(row >= 0 && row < rows.size * rows.step);
    if (rows.step > 1)
        window.where(row % rows.step == 0);
    if (columns.step > 1)
        window.where(column % columns.step == 0);
    cxyn[2] = unsafe_promise_clamped(row / rows.step, 0, rows.size - 1);
    const Expr x = column / columns.step;
    cxyn[1] = x;
    if (!columns.reaches_outside)
        return read(map, problem, cxyn);
    cxyn[1] = clamp(x, 0, columns.size - 1);
    return select(x >= 0 && x < columns.size, likely(read(map, problem, cxyn)), 0.0f);
}

Expr folded(const Stages& a, const Problem& problem, const Halide::Func& padded) {
    const detail::Axis columns = detail::columns(problem), rows = detail::rows(problem);
    const Halide::RDom places(0, places_of_element(columns, problem.padding_mode), 0,
                              places_of_element(rows, problem.padding_mode), "places");
    const Place x = place(columns, problem.padding_mode, a.x, places[0]),
                y = place(rows, problem.padding_mode, a.y, places[1]);
    return Halide::sum(select(x.exists && y.exists, padded(a.c, x.position, y.position, a.n), 0.0f),
                       "folded");
}

Expr is_inside(const Problem& problem, const Expr& x, const Expr& y) {
    const AxisMap columns = column_map(problem), rows = row_map(problem);
    return x >= columns.begin && x < columns.begin + columns.size && y >= rows.begin &&
           y < rows.begin + rows.size;
}

} // namespace lamina
