// The sizes that follow from a problem: resolved padding, output shape, what windows reach.
#pragma once

#include "lamina/keys.hpp"

#include <limits>

namespace lamina {

namespace detail {

// Products of sizes from outside must not wrap around: they stop at the largest value instead.
constexpr std::int64_t saturating_product(std::int64_t a, std::int64_t b) {
    if (a > 0 && b > std::numeric_limits<std::int64_t>::max() / a)
        return std::numeric_limits<std::int64_t>::max();
    return a * b;
}

constexpr std::int64_t saturating_sum(std::int64_t a, std::int64_t b) {
    constexpr std::int64_t limit = std::numeric_limits<std::int64_t>::max();
    return a > limit - b ? limit : a + b;
}

constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
    return (a + b - 1) / b;
}

// One axis of a window operator, in 64 bits so that no intermediate value overflows.
struct Axis {
    std::int64_t size, kernel, stride, dilation, begin, end, output_padding;

    constexpr std::int64_t extent() const { return dilation * (kernel - 1) + 1; }
};

// `same` gives ceil(size / stride) outputs; an odd remainder goes to the end, as in TensorFlow.
constexpr Axis with_resolved_padding(Axis axis, bool is_same) {
    if (!is_same || axis.stride < 1)
        return axis;
    const std::int64_t total =
        (ceil_div(axis.size, axis.stride) - 1) * axis.stride + axis.extent() - axis.size;
    axis.begin = total > 0 ? total / 2 : 0;
    axis.end = total > 0 ? total - axis.begin : 0;
    return axis;
}

constexpr Axis rows(const Problem& p) {
    return with_resolved_padding({p.in.height, p.kernel_size.height, p.stride.height, p.dilation.height,
                                  p.padding.top, p.padding.bottom, p.output_padding.height},
                                 p.padding.is_same);
}
constexpr Axis columns(const Problem& p) {
    return with_resolved_padding({p.in.width, p.kernel_size.width, p.stride.width, p.dilation.width,
                                  p.padding.left, p.padding.right, p.output_padding.width},
                                 p.padding.is_same);
}

// floor((X + P_begin + P_end - (dilation*(V-1)+1)) / S) + 1; with ceil, a last partial window counts if it
// begins inside the input or its leading padding. Nonpositive where no window fits.
constexpr std::int64_t window_count(const Axis& axis, bool ceil) {
    const std::int64_t room = axis.size + axis.begin + axis.end - axis.extent();
    if (room < 0 || axis.stride < 1)
        return 0;
    const std::int64_t count = room / axis.stride + 1;
    const bool has_partial = ceil && room % axis.stride != 0 && count * axis.stride < axis.size + axis.begin;
    return count + (has_partial ? 1 : 0);
}

// The input size of which a window operator would make `axis.size`.
constexpr std::int64_t transposed_size(const Axis& axis) {
    return (axis.size - 1) * axis.stride - axis.begin - axis.end + axis.extent() + axis.output_padding;
}

constexpr bool is_transposed(Operator op) {
    return forward_of(op) == Operator::transposed_convolution || forward_of(op) == Operator::max_unpool;
}

// Whether the output of an operator without a window has the positions of its input.
constexpr bool keeps_positions(Operator op) {
    return forward_of(op) == Operator::softmax || op == Operator::add || is_loss(op) || is_update(op);
}

constexpr std::int64_t output_size(const Problem& p, const Axis& axis) {
    if (!facts(p.op).has_window)
        return keeps_positions(p.op) ? axis.size : 1;
    return is_transposed(p.op) ? transposed_size(axis) : window_count(axis, p.ceil);
}

// The axes of a pooled cross-correlation's pool, over what its epilogue gives.
constexpr Axis pool_rows(const Problem& p) {
    return with_resolved_padding({window_count(rows(p), false), p.pool_kernel_size.height,
                                  p.pool_stride.height, 1, p.pool_padding.top, p.pool_padding.bottom, 0},
                                 p.pool_padding.is_same);
}
constexpr Axis pool_columns(const Problem& p) {
    return with_resolved_padding({window_count(columns(p), false), p.pool_kernel_size.width,
                                  p.pool_stride.width, 1, p.pool_padding.left, p.pool_padding.right, 0},
                                 p.pool_padding.is_same);
}

constexpr Size output_positions(const Problem& p) {
    if (p.op == Operator::pooled_cross_correlation)
        return {static_cast<int>(window_count(pool_rows(p), false)),
                static_cast<int>(window_count(pool_columns(p), false))};
    return {static_cast<int>(output_size(p, rows(p))), static_cast<int>(output_size(p, columns(p)))};
}

} // namespace detail

// The padding in numbers, `same` resolved.
constexpr Padding resolved_padding(const Problem& p) {
    const auto rows = detail::rows(p), columns = detail::columns(p);
    return {static_cast<int>(rows.begin), static_cast<int>(rows.end), static_cast<int>(columns.begin),
            static_cast<int>(columns.end)};
}

// Shape of the output, for a gradient that of the forward operator; meaningful only for a problem that breaks
// no rule. An open batch stays open.
constexpr Shape output_shape(const Problem& p) {
    const Size positions = detail::output_positions(p);
    return {p.in.batch, positions.height, positions.width,
            facts(p.op).has_kernel ? p.out_channels
            : is_loss(p.op)        ? 1
                                   : p.in.channels};
}

// The stride that windows move with over the padded input. A transposed convolution's own stride lies between
// the input's elements there, and its windows move by one.
constexpr Size window_stride(const Problem& p) {
    return p.op == Operator::transposed_convolution ? Size(1) : p.stride;
}

// Whether row or column `element` of the kernel may meet the input, and not padding alone, in the windows
// `first` to `last` along that axis of an operator that is not transposed. For numbers, and for expressions
// of them.
template <class Number>
constexpr auto meets_input(const detail::Axis& axis, const Number& first, const Number& last,
                           const Number& element) {
    const int stride = static_cast<int>(axis.stride), size = static_cast<int>(axis.size);
    const auto offset = element * static_cast<int>(axis.dilation) - static_cast<int>(axis.begin);
    return last * stride + offset >= 0 && first * stride + offset < size;
}

// Rows and columns of the padded input that so many neighbouring rows and columns of the output look at.
constexpr Size padded_reach(const Problem& p, Size outputs) {
    const Size stride = window_stride(p);
    return {(outputs.height - 1) * stride.height + static_cast<int>(detail::rows(p).extent()),
            (outputs.width - 1) * stride.width + static_cast<int>(detail::columns(p).extent())};
}

// A map's shape in memory order.
constexpr std::array<int, 4> in_memory_order(Shape s, Layout layout) {
    if (layout == Layout::nchw)
        return {s.batch, s.channels, s.height, s.width};
    return {s.batch, s.height, s.width, s.channels};
}

// The values that one output element of a dense layer sums over.
constexpr std::int64_t dense_features(const Problem& p) {
    return detail::saturating_product(detail::saturating_product(p.in.height, p.in.width), p.in.channels);
}

// Elements of a map batch, an open batch counted as one image.
constexpr std::int64_t elements(Shape s) {
    using detail::saturating_product;
    const std::int64_t images = s.batch == open_batch ? 1 : s.batch;
    return saturating_product(saturating_product(images, s.height), saturating_product(s.width, s.channels));
}

} // namespace lamina
