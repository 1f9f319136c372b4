#include "generators/depthwise_kernel_gradient.hpp"

#include "generators/gradient_parts.hpp"
#include "generators/input_map.hpp"
#include "generators/sum_gradient.hpp"
#include "schedules/window_sweep.hpp"

#include <algorithm>

namespace lamina {

using Halide::Expr;
using Halide::Func;
using Halide::RDom;
using Halide::Var;

namespace {

// Number `r` of the positions outside [first, end); a constant where r is unrolled.
Expr edge(const Expr& r, int first, int end) {
    return select(r < first, r, r + (end - first));
}

// An element of the kernel and, of both maps, what it multiplies at a position of the sweep.
struct Product {
    Expr exists, window, element;
};

Product product(const AxisSweep& axis, const Expr& position, const Expr& tap) {
    return {axis.exist<Expr>(position, tap),
            unsafe_promise_clamped(axis.window<Expr>(position, tap), 0, axis.windows - 1),
            unsafe_promise_clamped(axis.element<Expr>(position, tap), 0, axis.elements - 1)};
}

// The strips of windows that sums go through: some rows of one image, and a run of their columns.
struct Strips {
    int rows, count;
    int groups, runs; // of unrolled columns in a run; of the columns
    Expr number, run, image;
};

struct Sweep {
    WindowSweep axes;
    int columns;     // that are unrolled
    int columns_end; // of those positions that are no edge: a multiple of the unrolled columns
    Strips strips;
    Func values, elements; // the map with a value for each window, and the one that windows run over
    Expr column, row;      // of the kernel
};

int inner_groups(const Sweep& sweep) {
    return (sweep.columns_end - sweep.axes.columns.first()) / sweep.columns;
}

// The position's row, as row of windows.
Expr row_of(const Sweep& sweep, const SweepRegion& region) {
    const AxisSweep& rows = sweep.axes.rows;
    return region.is_row_edge ? edge(region.positions[2], rows.first(), rows.end())
                              : sweep.strips.number * sweep.strips.rows + region.positions[2];
}

// What one region adds to the sum for channel a.d.
Expr add_region(const Stages& a, const Sweep& sweep, SweepRegion& region) {
    const AxisSweep &columns = sweep.axes.columns, &rows = sweep.axes.rows;
    const Strips& strips = sweep.strips;
    RDom& r = region.positions;
    const Expr group = strips.run * strips.groups + r[1];
    const Expr x = region.is_column_edge ? edge(r[0], columns.first(), sweep.columns_end)
                                         : columns.first() + group * sweep.columns + r[0];
    const Expr y = row_of(sweep, region);
    const Product across = product(columns, x, sweep.column), down = product(rows, y, sweep.row);
    if (region.is_row_edge) {
        r.where(down.exists);
        if (strips.count > 1)
            r.where(y / strips.rows == strips.number);
    } else if (rows.edges() > 0 || strips.rows * strips.count != rows.windows) {
        keep_within(r, 2, y, rows.first(), rows.end());
    }
    if (region.is_column_edge)
        r.where(across.exists);
    if (region.is_column_edge && strips.runs > 1)
        r.where(strips.run == 0);
    else if (!region.is_column_edge && inner_groups(sweep) != strips.groups * strips.runs)
        r.where(group < inner_groups(sweep));
    return sweep.values(a.d, across.window, down.window, strips.image) *
           sweep.elements(a.d, across.element, down.element, strips.image);
}

// The regions that have positions: rows of a strip and rows at an edge, each without and with edges of
// columns.
std::vector<SweepRegion> regions(const Sweep& sweep) {
    const AxisSweep &columns = sweep.axes.columns, &rows = sweep.axes.rows;
    const int inner = inner_groups(sweep) * sweep.columns;
    std::vector<SweepRegion> result;
    for (const bool is_row_edge : {false, true})
        for (const bool is_column_edge : {false, true}) {
            const int width = is_column_edge ? columns.positions() - inner : sweep.columns;
            const int groups = is_column_edge ? 1 : std::min(inner, sweep.strips.groups);
            const int height = is_row_edge                  ? rows.edges()
                               : rows.end() == rows.first() ? 0
                                                            : sweep.strips.rows;
            if (width > 0 && groups > 0 && height > 0)
                result.push_back(
                    {RDom(0, width, 0, groups, 0, height, "positions"), is_column_edge, is_row_edge});
        }
    return result;
}

} // namespace

Stages depthwise_kernel_gradient(const Problem& problem, const OperatorInputs& inputs) {
    Stages a;
    const WindowRequest& request = inputs.request.window;
    Sweep sweep{};
    sweep.axes = window_sweep(problem);
    const AxisSweep &columns = sweep.axes.columns, &rows = sweep.axes.rows;
    const bool is_transposed = detail::is_transposed(problem.op);
    const bool is_flipped = forward_of(problem.op) == Operator::convolution;
    sweep.columns = request.columns;
    sweep.columns_end =
        columns.first() + (columns.end() - columns.first()) / request.columns * request.columns;
    const Func gradient = sum_gradient(problem, inputs);
    sweep.values = is_transposed ? inputs["input"] : gradient;
    sweep.elements = is_transposed ? gradient : inputs["input"];
    sweep.column = is_flipped ? columns.kernel - 1 - a.x : Expr(a.x);
    sweep.row = is_flipped ? rows.kernel - 1 - a.y : Expr(a.y);

    const Var strip("strip"), run("run"), image("image");
    const int rows_of_strips = request.rows * request.parts,
              count = (rows.windows + rows_of_strips - 1) / rows_of_strips; // of a part
    const int groups = std::max(1, (inner_groups(sweep) + request.runs - 1) / request.runs);
    const bool is_one_strip = count * request.parts * request.runs == 1 && problem.in.batch == 1;
    const auto number = [&](const Var& var) { return is_one_strip ? Expr(0) : Expr(var); };
    sweep.strips = {request.rows,  count * request.parts, groups,       request.runs,
                    number(strip), number(run),           number(image)};
    const std::vector<Var> axes{a.d, a.c, a.x, a.y};
    std::vector<Var> at = axes;
    if (!is_one_strip)
        at.insert(at.end(), {run, strip, image});
    a.regions = regions(sweep);
    a.sum = Func("sum");
    a.sum(at) = 0.0f;
    for (SweepRegion& region : a.regions) {
        const Expr added = add_region(a, sweep, region);
        a.sum(at) += added;
    }
    a.output = Func("result");
    if (is_one_strip) {
        a.output(axes) = a.sum(at);
        return a;
    }
    a.strips = RDom(0, request.runs, 0, count, 0, inputs.batch, "strips");
    add_up_strips(a, axes, 1, request.parts);
    return a;
}

} // namespace lamina
