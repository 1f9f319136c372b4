// Problems whose sums are those of another problem: dense layers and the gradients of inputs as convolutions,
// a separable convolution as two of them, a pooled one as a convolution and a pool.
#pragma once

#include "lamina/sizes.hpp"

namespace lamina {

// What a problem computes forward, for the gradients of which it has the keys.
constexpr Problem forward_problem(Problem p) {
    p.op = forward_of(p.op);
    return p;
}

// Where the gradients of a layer with padding other than zeros are summed: the padded input, whose part
// outside is then added to the input's own.
constexpr bool has_unfolded_gradient(const Problem& p) {
    const Padding padding = resolved_padding(p);
    return facts(p.op).gradient == Gradient::input && p.padding_mode != PaddingMode::zeros &&
           (padding.top > 0 || padding.bottom > 0 || padding.left > 0 || padding.right > 0);
}

namespace detail {

// Zeros around the output gradient from which windows of the flipped kernel find the input gradient.
constexpr Padding full_padding(const Axis& rows, const Axis& columns) {
    const auto around = [](const Axis& axis, std::int64_t padding) {
        return static_cast<int>(axis.extent() - 1 - padding);
    };
    return {around(rows, rows.begin), around(rows, rows.end), around(columns, columns.begin),
            around(columns, columns.end)};
}

// What the last windows of a cross-correlation leave of the padded input.
constexpr int remainder_of(const Axis& axis) {
    return static_cast<int>((axis.size + axis.begin + axis.end - axis.extent()) % axis.stride);
}

// The input gradient of a cross-correlation or convolution, whose windows run over the output gradient.
constexpr Problem correlation_gradient(Problem p) {
    Axis rows = detail::rows(p), columns = detail::columns(p);
    if (has_unfolded_gradient(p)) {
        rows.size += rows.begin + rows.end;
        columns.size += columns.begin + columns.end;
        rows.begin = rows.end = columns.begin = columns.end = 0;
    }
    const Shape out = output_shape(p);
    const Padding full = full_padding(rows, columns);
    const bool is_plain =
        p.stride == Size(1) && full.top >= 0 && full.bottom >= 0 && full.left >= 0 && full.right >= 0;
    p.out_channels = p.in.channels;
    p.in = out;
    p.padding_mode = PaddingMode::zeros;
    if (is_plain) {
        p.op = Operator::cross_correlation;
        p.padding = full;
        return p;
    }
    p.op = Operator::transposed_convolution;
    p.padding = {static_cast<int>(rows.begin), static_cast<int>(rows.end), static_cast<int>(columns.begin),
                 static_cast<int>(columns.end)};
    p.output_padding = {remainder_of(rows), remainder_of(columns)};
    return p;
}

// The input gradient of a transposed convolution. Whole strides of output padding would give windows that the
// input has no element for; they are taken off the other end.
constexpr Problem transposed_gradient(Problem p) {
    const auto surplus = [](int output_padding, int stride) { return output_padding / stride * stride; };
    const Shape out = output_shape(p);
    p.op = Operator::cross_correlation;
    p.out_channels = p.in.channels;
    p.in = out;
    p.padding.bottom -= surplus(p.output_padding.height, p.stride.height);
    p.padding.right -= surplus(p.output_padding.width, p.stride.width);
    p.output_padding = Size(0);
    return p;
}

} // namespace detail

// Whether each sum is one over the channels of a position, which are contiguous: of a 1x1 convolution without
// stride, padding and groups, or of its input's gradient.
constexpr bool sums_positions(const Problem& p) {
    const Operator op = forward_of(p.op);
    const Gradient gradient = facts(p.op).gradient;
    return (op == Operator::cross_correlation || op == Operator::convolution) &&
           (gradient == Gradient::none || gradient == Gradient::input) && p.kernel_size == Size(1) &&
           p.stride == Size(1) && resolved_padding(p) == Padding{} && p.groups == 1 &&
           p.layout == Layout::nhwc;
}

// Positions of a map that may be counted in one row.
constexpr std::int64_t most_linear_positions = 1 << 28;

// A problem whose sums know no image as that of one image with the rows of all; any other problem as it is.
constexpr Problem as_one_image(Problem p) {
    if (sums_positions(p) && p.in.batch > 1 &&
        std::int64_t{p.in.height} * p.in.width <= most_linear_positions / p.in.batch) {
        p.in.height *= p.in.batch;
        p.in.batch = 1;
    }
    return p;
}

// A dense layer, or a gradient of one, as the cross-correlation with a 1x1 kernel that it is: every image is
// a position of all its values, in one row of as many as there are images, or alone where their number is
// open. Any other problem as it is.
constexpr Problem as_pointwise(Problem p) {
    if (forward_of(p.op) != Operator::dense)
        return p;
    constexpr std::int64_t limit = std::numeric_limits<int>::max();
    const std::int64_t features = dense_features(p);
    const int batch = p.in.batch;
    p.op = *gradient_of(Operator::cross_correlation, facts(p.op).gradient);
    p.in = {1, 1, batch, static_cast<int>(features < limit ? features : limit)};
    if (batch == open_batch)
        p.in = {open_batch, 1, 1, p.in.channels};
    p.layout = Layout::nhwc;
    return p;
}

// The sums of an input gradient as a cross-correlation or transposed convolution without epilogue, a dense
// layer as a cross-correlation, and what is pooled of a pooled one; any other problem as it is. What knows
// how to compute these thereby knows gradients and dense layers.
constexpr Problem as_convolution(Problem p) {
    p = as_pointwise(p);
    if (p.op == Operator::pooled_cross_correlation) {
        p.op = Operator::cross_correlation;
        p.pool_kernel_size = p.pool_stride = Size(1);
        p.pool_padding = {};
    }
    if (!facts(p.op).has_kernel || facts(p.op).gradient != Gradient::input)
        return p;
    p.epilogue = {};
    return p.op == Operator::transposed_convolution_input_gradient ? detail::transposed_gradient(p)
                                                                   : detail::correlation_gradient(p);
}

// The two cross-correlations that a separable convolution consists of: one group for each channel, whose
// operands `depthwise_kernel` and `depthwise_bias` are ...
constexpr Problem depthwise_part(Problem p) {
    p.op = Operator::cross_correlation;
    p.groups = p.out_channels = p.in.channels;
    p.epilogue = p.depthwise_epilogue;
    p.depthwise_epilogue = {};
    return p;
}

// ... and that of what it gives with a 1x1 kernel, to which the other operands belong.
constexpr Problem pointwise_part(const Problem& p) {
    Problem pointwise = default_problem(Operator::cross_correlation);
    pointwise.in = output_shape(depthwise_part(p));
    pointwise.out_channels = p.out_channels;
    pointwise.layout = p.layout;
    pointwise.type = p.type;
    pointwise.epilogue = p.epilogue;
    return pointwise;
}

// The pool of a pooled cross-correlation, whose input as_convolution() gives.
constexpr Problem pooling_part(const Problem& p) {
    Problem pool = default_problem(Operator::max_pool);
    pool.in = output_shape(as_convolution(p));
    pool.kernel_size = p.pool_kernel_size;
    pool.stride = p.pool_stride;
    pool.padding = p.pool_padding;
    pool.layout = p.layout;
    pool.type = p.type;
    return pool;
}

} // namespace lamina
