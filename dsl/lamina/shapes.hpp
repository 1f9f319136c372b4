// The one definition of every operator's sizes: resolved padding, output shape, operands, operation count,
// bytes moved.
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
    return op == Operator::transposed_convolution || op == Operator::max_unpool;
}

constexpr std::int64_t output_size(const Problem& p, const Axis& axis) {
    if (!facts(p.op).has_window)
        return p.op == Operator::softmax ? axis.size : 1;
    return is_transposed(p.op) ? transposed_size(axis) : window_count(axis, p.ceil);
}

} // namespace detail

// The padding in numbers, `same` resolved.
constexpr Padding resolved_padding(const Problem& p) {
    const auto rows = detail::rows(p), columns = detail::columns(p);
    return {static_cast<int>(rows.begin), static_cast<int>(rows.end), static_cast<int>(columns.begin),
            static_cast<int>(columns.end)};
}

// Shape of the output; meaningful only for a problem that breaks no rule. An open batch stays open.
constexpr Shape output_shape(const Problem& p) {
    return {p.in.batch, static_cast<int>(detail::output_size(p, detail::rows(p))),
            static_cast<int>(detail::output_size(p, detail::columns(p))),
            facts(p.op).has_kernel ? p.out_channels : p.in.channels};
}

// The stride that windows move with over the padded input. A transposed convolution's own stride lies between
// the input's elements there, and its windows move by one.
constexpr Size window_stride(const Problem& p) {
    return p.op == Operator::transposed_convolution ? Size(1) : p.stride;
}

// Whether row `kernel_row` of the kernel may meet the input, and not padding alone, in the windows of the
// output's rows `first` to `last`. For numbers, and for expressions of them.
template <class Number>
constexpr auto meets_input(const Problem& p, const Number& first, const Number& last,
                           const Number& kernel_row) {
    const detail::Axis rows = detail::rows(p);
    const int stride = window_stride(p).height, begin = static_cast<int>(rows.begin);
    const auto offset = kernel_row * p.dilation.height - begin;
    return last * stride + offset >= 0 && first * stride + offset < p.in.height;
}

// Rows and columns of the padded input that so many neighbouring rows and columns of the output look at.
constexpr Size padded_reach(const Problem& p, Size outputs) {
    const Size stride = window_stride(p);
    return {(outputs.height - 1) * stride.height + static_cast<int>(detail::rows(p).extent()),
            (outputs.width - 1) * stride.width + static_cast<int>(detail::columns(p).extent())};
}

enum class Direction : std::uint8_t { in, out };

// One buffer of a kernel call. `shape` is in memory order, the last index contiguous; a leading open_batch is
// settled by the call.
struct Operand {
    std::string_view name;
    Direction direction = Direction::in;
    Type type = Type::f32;
    int rank = 0;
    std::array<int, 4> shape{};

    // Elements, the batch counted as `batch` where it is open.
    constexpr std::int64_t elements(int batch = 1) const {
        std::int64_t product = 1;
        for (int i = 0; i < rank; ++i) {
            const int extent = shape[static_cast<std::size_t>(i)];
            product = detail::saturating_product(product, i == 0 && extent == open_batch ? batch : extent);
        }
        return product;
    }
};

struct Operands {
    static constexpr int capacity = 6;
    std::array<Operand, capacity> list{};
    int count = 0;

    constexpr void add(const Operand& operand) { list[static_cast<std::size_t>(count++)] = operand; }
    constexpr const Operand* begin() const { return list.data(); }
    constexpr const Operand* end() const { return list.data() + count; }
    constexpr const Operand* find(std::string_view name) const {
        for (const Operand& operand : *this)
            if (operand.name == name)
                return &operand;
        return nullptr;
    }
};

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

// A dense layer's sums as those of a cross-correlation whose kernel covers the whole map; any other problem
// as it is. What knows how to compute convolutions thereby knows dense layers.
constexpr Problem as_convolution(Problem p) {
    if (p.op == Operator::dense) {
        p.op = Operator::cross_correlation;
        p.kernel_size = {p.in.height, p.in.width};
    }
    return p;
}

constexpr Operand kernel_operand(const Problem& p) {
    if (p.op == Operator::dense) {
        const std::int64_t features = dense_features(p);
        constexpr std::int64_t limit = std::numeric_limits<int>::max();
        return {"kernel",
                Direction::in,
                p.type,
                2,
                {static_cast<int>(features < limit ? features : limit), p.out_channels}};
    }
    return {"kernel",
            Direction::in,
            p.type,
            4,
            {p.kernel_size.height, p.kernel_size.width, p.in.channels / p.groups, p.out_channels}};
}

// The operands of a call, inputs first, in the order in which kernels take them.
constexpr Operands operands(const Problem& p) {
    const std::array<int, 4> in = in_memory_order(p.in, p.layout),
                             out = in_memory_order(output_shape(p), p.layout);
    Operands list;
    list.add({"input", Direction::in, p.type, 4, in});
    if (facts(p.op).has_kernel)
        list.add(kernel_operand(p));
    if (p.epilogue.has(Step::bias))
        list.add({"bias", Direction::in, p.type, 1, {p.out_channels}});
    if (p.epilogue.has(Step::residual))
        list.add({"residual", Direction::in, p.type, 4, out});
    if (p.op == Operator::max_unpool)
        list.add({"indices", Direction::in, Type::i32, 4, in});
    list.add({"output", Direction::out, p.type, 4, out});
    if (p.indices)
        list.add({"indices", Direction::out, Type::i32, 4, out});
    return list;
}

// Elements of a map batch, an open batch counted as one image.
constexpr std::int64_t elements(Shape s) {
    using detail::saturating_product;
    const std::int64_t images = s.batch == open_batch ? 1 : s.batch;
    return saturating_product(saturating_product(images, s.height), saturating_product(s.width, s.channels));
}

// Arithmetic operations of the direct algorithm for one call (one image where the batch is open): a
// multiply-add counts as two, the padding's products are counted, the epilogue is not. For pooling, one
// operation per element of each window.
constexpr std::int64_t operation_count(const Problem& p) {
    using detail::saturating_product;
    const std::int64_t window = saturating_product(p.kernel_size.height, p.kernel_size.width);
    const std::int64_t out = elements(output_shape(p)), in = elements(p.in);
    switch (p.op) {
    case Operator::cross_correlation:
    case Operator::convolution:
        return saturating_product(saturating_product(2, out),
                                  saturating_product(window, p.in.channels / p.groups));
    case Operator::transposed_convolution:
        return saturating_product(saturating_product(2, in),
                                  saturating_product(window, p.out_channels / p.groups));
    case Operator::max_pool:
    case Operator::average_pool:
    case Operator::lp_pool:
        return saturating_product(out, window);
    case Operator::max_unpool:
        return saturating_product(in, window);
    case Operator::dense:
        return saturating_product(saturating_product(2, out), dense_features(p));
    case Operator::global_max_pool:
    case Operator::global_average_pool:
    case Operator::softmax:
        return in;
    }
    return 0;
}

// Bytes that a call reads and writes at least: every operand once.
constexpr std::int64_t bytes_moved(const Problem& p) {
    std::int64_t bytes = 0;
    for (const Operand& operand : operands(p))
        bytes = detail::saturating_sum(bytes, detail::saturating_product(4, operand.elements()));
    return bytes;
}

// Trained values: kernel and bias.
constexpr std::int64_t parameter_count(const Problem& p) {
    if (!facts(p.op).has_kernel)
        return 0;
    return detail::saturating_sum(kernel_operand(p).elements(),
                                  p.epilogue.has(Step::bias) ? p.out_channels : 0);
}

} // namespace lamina
