#include "generators/winograd.hpp"

#include "generators/convolution_output.hpp"
#include "generators/epilogue.hpp"
#include "generators/input_map.hpp"
#include "generators/pool_windows.hpp"
#include "generators/sum_gradient.hpp"
#include "generators/winograd_matrices.hpp"

#include <functional>

namespace lamina {

using Halide::Expr;
using Halide::Func;
using Halide::Var;

namespace {

// Sum of terms, each defined; undefined where there are none.
struct Sum {
    Expr value;
    void add(double factor, const Expr& term) {
        if (factor == 0)
            return;
        const bool is_negative = factor < 0 && value.defined();
        const double magnitude = is_negative ? -factor : factor;
        const Expr scaled = magnitude == 1    ? term
                            : magnitude == -1 ? -term
                                              : term * static_cast<float>(magnitude);
        value = !value.defined() ? scaled : is_negative ? value - scaled : value + scaled;
    }
};

Expr added(const Expr& a, const Expr& b, bool is_difference) {
    if (!a.defined())
        return is_difference ? -b : b;
    return !b.defined() ? a : is_difference ? a - b : a + b;
}

// The row of a transform that goes to a point, applied to elements of the tile: the polynomials of two points
// a and -a differ in the signs of their odd coefficients, so that both rows share the sums of the even and of
// the odd elements.
Expr to_point(const std::vector<double>& row, const std::function<Expr(int)>& element) {
    Sum even, odd;
    double sign = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (i % 2 == 0) {
            even.add(row[i], element(static_cast<int>(i)));
            continue;
        }
        if (sign == 0)
            sign = row[i] < 0 ? -1 : 1;
        odd.add(sign * row[i], element(static_cast<int>(i)));
    }
    return added(even.value, odd.value, sign < 0);
}

// The row of a transform that comes from points: 0, then pairs of a and -a, which share their sum or their
// difference with all rows; then a point that is alone, and infinity.
Expr from_points(const std::vector<double>& row, const std::function<Expr(int)>& element) {
    Sum sum;
    const int points = static_cast<int>(row.size());
    int i = 0;
    if (points > 1)
        sum.add(row[0], element(i++));
    for (; i + 2 < points; i += 2) {
        const double first = row[static_cast<std::size_t>(i)], second = row[static_cast<std::size_t>(i) + 1];
        sum.add(first, added(element(i), element(i + 1), second != first));
    }
    for (; i < points; ++i)
        sum.add(row[static_cast<std::size_t>(i)], element(i));
    return sum.value.defined() ? sum.value : Expr(0.0f);
}

using Transform = Expr (*)(const std::vector<double>&, const std::function<Expr(int)>&);

// Row `number` of the matrix, applied to the elements; the loop over its numbers is to be unrolled.
Expr transformed(const Matrix& matrix, Transform transform, const Expr& number,
                 const std::function<Expr(int)>& element) {
    std::vector<Expr> rows;
    for (const std::vector<double>& row : matrix)
        rows.push_back(transform(row, element));
    return rows.size() == 1 ? rows[0] : Halide::mux(number, rows);
}

// Along both axes: what the transforms are, and where a tile of a block lies.
struct Tiling {
    WinogradMatrices x, y;
    WinogradRequest blocks;
    Size pool; // windows of which a tile holds whole ones, and pools them itself; 1x1 where it does not

    Expr column(const WinogradStages& w) const { return w.bx * blocks.columns + w.t % blocks.columns; }
    Expr row(const WinogradStages& w) const {
        return w.by * blocks.rows + w.t / blocks.columns % blocks.rows;
    }
    Expr image(const WinogradStages& w) const {
        return w.bn * blocks.images + w.t / (blocks.columns * blocks.rows);
    }
    // And the number, in its block, of the one that lies there.
    Expr number(const Expr& column, const Expr& row, const Expr& image) const {
        return column % blocks.columns +
               blocks.columns * (row % blocks.rows + blocks.rows * (image % blocks.images));
    }
};

void transform_input(Stages& a, const Tiling& tiling, const Func& map) {
    WinogradStages& w = a.winograd;
    const Expr x = tiling.column(w) * tiling.x.outputs, y = tiling.row(w) * tiling.y.outputs;
    w.rows = Func("transformed_rows");
    w.rows(a.c, w.t, w.bx, w.by, w.bn, w.ax, a.y) = transformed(
        tiling.x.input, to_point, w.ax, [&](int i) { return map(a.c, x + i, y + a.y, tiling.image(w)); });
    w.input = Func("transformed_input");
    w.input(a.c, w.t, w.bx, w.by, w.bn, w.ax, w.ay) = transformed(
        tiling.y.input, to_point, w.ay, [&](int i) { return w.rows(a.c, w.t, w.bx, w.by, w.bn, w.ax, i); });
}

void multiply(Stages& a, const Problem& p, const Kernel& kernel) {
    WinogradStages& w = a.winograd;
    w.channels = Halide::RDom(0, kernel.layout().in, "channels");
    const std::vector<Var> at{a.c, w.t, w.bx, w.by, w.bn, w.ax, w.ay};
    w.sum = Func("product_sum");
    w.sum(at) = 0.0f;
    w.sum(at) += kernel.at(a.c, w.channels, w.ax, w.ay) *
                 w.input(input_channel(p, a.c, w.channels), w.t, w.bx, w.by, w.bn, w.ax, w.ay);
    w.products = Func("products");
    w.products(at) = w.sum(at);
}

// The elements of a tile of the output, pooled where that is asked for: of each window, the largest of what
// `finish` makes of a sum.
void transform_output(Stages& a, const Tiling& tiling, const std::function<Expr(const Expr&)>& finish) {
    WinogradStages& w = a.winograd;
    const WinogradRequest& b = tiling.blocks;
    const Expr tile = tiling.number(w.column, w.row, a.n);
    w.columns = Func("transformed_columns");
    w.columns(a.c, w.column, w.row, a.n, w.ax, a.y) =
        transformed(tiling.y.output, from_points, a.y, [&](int i) {
            return w.products(a.c, tile, w.column / b.columns, w.row / b.rows, a.n / b.images, w.ax, i);
        });
    Expr value;
    for (int y = 0; y < tiling.pool.height; ++y)
        for (int x = 0; x < tiling.pool.width; ++x) {
            const Expr row = a.y * tiling.pool.height + y;
            const Expr element =
                finish(transformed(tiling.x.output, from_points, a.x * tiling.pool.width + x,
                                   [&](int i) { return w.columns(a.c, w.column, w.row, a.n, i, row); }));
            value = value.defined() ? max(value, element) : element;
        }
    w.output = Func("tile_output");
    w.output(a.c, w.column, w.row, a.n, a.x, a.y) = value;
}

// What tiles hold for (c, x, y, n) of the output, or of what is pooled behind them.
Expr tile_output_at(const Stages& a, const Tiling& tiling, const Expr& x, const Expr& y) {
    const int columns = tiling.x.outputs / tiling.pool.width, rows = tiling.y.outputs / tiling.pool.height;
    return a.winograd.output(a.c, x / columns, y / rows, a.n, x % columns, y % rows);
}

// The largest of what tiles hold for each window of the pool.
Expr largest_of_tiles(const Stages& a, const Tiling& tiling, const Problem& problem) {
    const Problem pool = pooling_part(problem);
    Expr value;
    for (int row = 0; row < pool.kernel_size.height; ++row)
        for (int column = 0; column < pool.kernel_size.width; ++column) {
            const Expr x = nearest(a.x * pool.stride.width + column, detail::columns(pool)),
                       y = nearest(a.y * pool.stride.height + row, detail::rows(pool));
            const Expr element = tile_output_at(a, tiling, x, y);
            value = value.defined() ? max(value, element) : element;
        }
    return value;
}

// Tiles of what the epilogue gives, pooled by themselves or behind them.
void define_pooled_output(Stages& a, const Problem& problem, const OperatorInputs& inputs,
                          const Tiling& tiling) {
    EpilogueOperands operands;
    if (problem.epilogue.has(Step::bias))
        operands.bias = inputs["bias"](a.c);
    transform_output(a, tiling, [&](const Expr& sum) {
        return apply_epilogue(problem.epilogue, 0, sum, operands).output;
    });
    const bool is_pooled = tiling.blocks.pools_in_tiles;
    a.output = Func("result");
    a.output(in_memory_order(a, problem)) =
        is_pooled ? tile_output_at(a, tiling, a.x, a.y) : largest_of_tiles(a, tiling, problem);
}

} // namespace

Stages winograd_convolution(const Problem& problem, const OperatorInputs& inputs) {
    Stages a;
    const Problem p = as_convolution(problem);
    const Kernel kernel(a, problem, inputs);
    const KernelLayout& k = kernel.layout();
    const Func input = is_gradient(problem.op) ? sum_gradient(problem, inputs) : inputs["input"];
    const Tiling tiling{winograd_matrices(k.outputs.width, k.width),
                        winograd_matrices(k.outputs.height, k.height), inputs.request.winograd,
                        inputs.request.winograd.pools_in_tiles ? problem.pool_kernel_size : Size(1)};
    transform_input(a, tiling, padded_beyond(a, p, input));
    multiply(a, p, kernel);
    if (problem.op == Operator::pooled_cross_correlation) {
        define_pooled_output(a, problem, inputs, tiling);
        return a;
    }
    transform_output(a, tiling, [](const Expr& sum) { return sum; });
    define_output(a, problem, inputs, tile_output_at(a, tiling, a.x, a.y), 0);
    return a;
}

} // namespace lamina
