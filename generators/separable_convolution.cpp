// separable_convolution: depthwise sums with their epilogue, and the sums of products with a 1x1 kernel over
// them.
#include "generators/epilogue.hpp"
#include "generators/input_map.hpp"
#include "generators/packed_kernel.hpp"

namespace lamina {

using Halide::Expr;
using Halide::Func;
using Halide::RDom;
using Halide::Var;

namespace {

bool starts_with_bias(const Epilogue& epilogue) {
    return epilogue.count > 0 && epilogue.steps[0] == Step::bias;
}

// What depthwise windows look at.
struct DepthwiseMap {
    Func func;
    bool is_padded; // in padded coordinates, or the input as it is, around which zeros are left out
};

// Zeros around contiguous channels need no copy of the input: windows leave out rows of zeros, and which of a
// tile's columns are zeros is known when it is compiled.
DepthwiseMap depthwise_map(Stages& a, const Problem& p, const OperatorInputs& inputs) {
    const bool is_read = p.layout == Layout::nhwc && p.padding_mode == PaddingMode::zeros;
    if (is_read && inputs.request.is_linear)
        return {inputs["input"], false};
    return {padded_input(a, p, inputs["input"], 0.0f), true};
}

// Neighbouring columns of the output; `count` are whole tiles, or fewer columns than one.
struct Columns {
    int begin, count;
    bool meets_padding;
};

// The output's columns, cut at tiles where those begin and end that lie inside of the input.
std::vector<Columns> columns_of(const Problem& p, int tile, bool is_padded) {
    const detail::Axis axis = detail::columns(p);
    const int width = output_shape(p).width, stride = static_cast<int>(axis.stride),
              last_begin = static_cast<int>(axis.size + axis.begin - axis.extent());
    // The first column that is inside, and that behind the last one.
    const int first = is_padded ? 0 : (static_cast<int>(axis.begin) + stride - 1) / stride,
              end = is_padded        ? width
                    : last_begin < 0 ? 0
                                     : std::min(width, last_begin / stride + 1);
    const int tiles = width / tile, before = std::min(tiles, (first + tile - 1) / tile),
              behind = std::clamp(end / tile, before, tiles);
    const Columns all[] = {{0, before * tile, true},
                           {before * tile, (behind - before) * tile, false},
                           {behind * tile, (tiles - behind) * tile, true},
                           {tiles * tile, width - tiles * tile, first > tiles * tile || end < width}};
    std::vector<Columns> some;
    for (const Columns& columns : all)
        if (columns.count > 0)
            some.push_back(columns);
    return some;
}

// The sum of the window at (c, x, y, n) of the output.
Func depthwise_sum(const Stages& a, const Problem& p, const OperatorInputs& inputs, const DepthwiseMap& map,
                   RDom& window, bool meets_padding) {
    const detail::Axis columns = detail::columns(p), rows = detail::rows(p);
    Expr x = a.x * p.stride.width + window[0] * p.dilation.width,
         y = a.y * p.stride.height + window[1] * p.dilation.height, exists;
    if (!map.is_padded) {
        const auto reach = (output_shape(p).height - 1) * rows.stride + rows.extent();
        x = x - static_cast<int>(columns.begin);
        y = y - static_cast<int>(rows.begin);
        if (rows.begin > 0 || reach > rows.begin + rows.size)
            window.where(meets_input<Expr>(rows, a.y, a.y, window[1]));
        y = Halide::unsafe_promise_clamped(y, 0, p.in.height - 1);
        if (meets_padding) {
            exists = x >= 0 && x < p.in.width;
            x = clamp(x, 0, p.in.width - 1);
        }
    }
    const Expr value = map.func(a.c, x, y, a.n);
    Func sum("depthwise_sum");
    sum(a.c, a.x, a.y, a.n) = starts_with_bias(p.epilogue) ? Expr(inputs["depthwise_bias"](a.c)) : Expr(0.0f);
    sum(a.c, a.x, a.y, a.n) += inputs["depthwise_kernel"](a.c, 0, window[0], window[1]) *
                               (exists.defined() ? select(exists, value, 0.0f) : value);
    return sum;
}

Expr with_epilogue(const Problem& p, const OperatorInputs& inputs, const Var& c, const Expr& sum) {
    EpilogueOperands operands;
    if (p.epilogue.has(Step::bias))
        operands.bias = inputs["depthwise_bias"](c);
    return apply_epilogue(p.epilogue, starts_with_bias(p.epilogue) ? 1 : 0, sum, operands).output;
}

RDom window_of(const Problem& p) {
    return {0, p.kernel_size.width, 0, p.kernel_size.height, "taps"};
}

// The depthwise part's output by (c, x, y, n).
Func whole_depthwise(Stages& a, const Problem& p, const OperatorInputs& inputs) {
    RDom window = window_of(p);
    const Func sum = depthwise_sum(a, p, inputs, depthwise_map(a, p, inputs), window, false);
    Func whole("depthwise");
    whole(a.c, a.x, a.y, a.n) = with_epilogue(p, inputs, a.c, sum(a.c, a.x, a.y, a.n));
    a.shared = {sum, whole};
    return whole;
}

// The same by (c, p, y, n), strip by strip.
Func depthwise_in_strips(Stages& a, const Problem& p, const OperatorInputs& inputs) {
    const int rows = inputs.request.strip_rows, tile = inputs.request.separable.columns;
    const int width = output_shape(p).width;
    const DepthwiseMap map = depthwise_map(a, p, inputs);
    a.depthwise = Func("depthwise");
    a.depthwise(a.c, a.p, a.y, a.n) = Halide::undef<float>();
    for (const Columns& columns : columns_of(p, tile, map.is_padded)) {
        RDom window = window_of(p);
        const RDom positions(columns.begin, columns.count, 0, rows, "positions");
        const Func sum = depthwise_sum(a, p, inputs, map, window, columns.meets_padding);
        const Expr x = positions[0], y = positions[1];
        a.depthwise(a.c, y * width + x, a.y, a.n) =
            with_epilogue(p, inputs, a.c, sum(a.c, x, a.y * rows + y, a.n));
        a.depthwise_parts.push_back({std::min(tile, columns.count), positions, sum, window});
    }
    return a.depthwise;
}

Stages build_separable(const Problem& problem, const OperatorInputs& inputs) {
    Stages a;
    const Problem pointwise = pointwise_part(problem);
    a.is_linear = inputs.request.is_linear;
    const Func depthwise = inputs.request.is_linear ? depthwise_in_strips(a, depthwise_part(problem), inputs)
                                                    : whole_depthwise(a, depthwise_part(problem), inputs);
    const Kernel kernel(a, pointwise, inputs);
    const KernelLayout& k = kernel.layout();
    // A last block that is not full has sums of channels that do not exist; they have no bias either.
    const bool is_full = k.block == 0 || k.out % k.block == 0;
    const int done = is_full && starts_with_bias(problem.epilogue) ? 1 : 0;
    const std::vector<Var> at{a.c, a.is_linear ? a.p : a.x, a.y, a.n};
    a.window = RDom(0, k.in, "window");
    a.sum = Func("sum");
    a.sum(at) = done == 1 ? Expr(inputs["bias"](a.c)) : Expr(0.0f);
    // A strip's last tile goes beyond its end; what it sums there nobody stores.
    const Shape out = output_shape(problem);
    const Expr under =
        a.is_linear ? Expr(min(likely(a.p), inputs.request.strip_rows * out.width - 1)) : Expr(a.x);
    a.sum(at) += kernel.at(a.c, a.window[0], 0, 0) * depthwise(a.window[0], under, a.y, a.n);
    EpilogueOperands operands;
    if (problem.epilogue.has(Step::bias))
        operands.bias = inputs["bias"](a.c);
    if (problem.epilogue.has(Step::residual))
        operands.residual = read(inputs["residual"], problem, {at[0], at[1], at[2], at[3]});
    a.output = Func("result");
    a.output(in_memory_order(a, problem)) =
        apply_epilogue(problem.epilogue, done, a.sum(at), operands).output;
    return a;
}

} // namespace

using SeparableConvolutionGenerator = OperatorGenerator<Operator::separable_convolution, build_separable>;

} // namespace lamina

HALIDE_REGISTER_GENERATOR(lamina::SeparableConvolutionGenerator, separable_convolution)
