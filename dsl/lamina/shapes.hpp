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
    return {p.in.batch, static_cast<int>(detail::output_size(p, detail::rows(p))),
            static_cast<int>(detail::output_size(p, detail::columns(p))),
            facts(p.op).has_kernel ? p.out_channels
            : is_loss(p.op)        ? 1
                                   : p.in.channels};
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
    std::string_view in_place_of{}; // of an output: the input whose memory it may be, "" for none

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
    static constexpr int capacity = 8;
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
    // 1 + the index of the input whose memory the output may be, 0 for none: as the runtime takes it.
    constexpr int in_place_of(const Operand& output) const {
        for (int i = 0; i < count && !output.in_place_of.empty(); ++i)
            if (list[static_cast<std::size_t>(i)].name == output.in_place_of)
                return i + 1;
        return 0;
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

// The sums of an input gradient as a cross-correlation or transposed convolution without epilogue, and a
// dense layer as a cross-correlation; any other problem as it is. What knows how to compute these thereby
// knows gradients and dense layers.
constexpr Problem as_convolution(Problem p) {
    p = as_pointwise(p);
    if (!facts(p.op).has_kernel || facts(p.op).gradient != Gradient::input)
        return p;
    p.epilogue = {};
    return p.op == Operator::transposed_convolution_input_gradient ? detail::transposed_gradient(p)
                                                                   : detail::correlation_gradient(p);
}

constexpr Operand kernel_operand(const Problem& p) {
    if (forward_of(p.op) == Operator::dense) {
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

// Whether calls take the kernel's weights.
constexpr bool reads_kernel(Operator op) {
    return facts(op).has_kernel &&
           (facts(op).gradient == Gradient::none || facts(op).gradient == Gradient::input);
}

// The activation among the steps.
constexpr std::optional<Step> activation_of(const Epilogue& epilogue) {
    for (int i = 0; i < epilogue.count; ++i)
        if (is_activation(epilogue.steps[static_cast<std::size_t>(i)]))
            return epilogue.steps[static_cast<std::size_t>(i)];
    return std::nullopt;
}

// Whether the gradient of an epilogue's step, or of the sums where none is given, goes through the
// activation.
constexpr bool passes_activation(const Epilogue& epilogue, std::optional<Step> of = std::nullopt) {
    bool is_before = !of.has_value();
    for (int i = 0; i < epilogue.count; ++i) {
        const Step step = epilogue.steps[static_cast<std::size_t>(i)];
        is_before = is_before || step == of;
        if (is_activation(step))
            return is_before;
    }
    return false;
}

// What a gradient finds the activation's slope in: the `output`, where the activation comes last and its
// slope follows from its value, or else its argument, `preactivation`.
constexpr std::string_view slope_operand(const Epilogue& epilogue) {
    const Step last = epilogue.steps[static_cast<std::size_t>(epilogue.count > 0 ? epilogue.count - 1 : 0)];
    const bool is_told_by_value = last == Step::relu || last == Step::relu6 || last == Step::leaky_relu ||
                                  last == Step::sigmoid || last == Step::tanh;
    return is_told_by_value ? "output" : "preactivation";
}

// Whether a gradient multiplies by the activation's slope.
constexpr bool takes_slope(const Problem& p) {
    switch (facts(p.op).gradient) {
    case Gradient::none:
        return false;
    case Gradient::bias:
        return passes_activation(p.epilogue, Step::bias);
    case Gradient::residual:
        return passes_activation(p.epilogue, Step::residual);
    case Gradient::input:
    case Gradient::kernel:
        break;
    }
    return passes_activation(p.epilogue);
}

namespace detail {

// What a loss compares its input with.
constexpr Operand wanted(const Problem& p) {
    if (forward_of(p.op) == Operator::softmax_cross_entropy)
        return {"labels", Direction::in, Type::i32, 4, in_memory_order(output_shape(p), p.layout)};
    return {"target", Direction::in, p.type, 4, in_memory_order(p.in, p.layout)};
}

// The softmax's gradient may not take the input's memory: whether a channel is read again after another one
// was written is up to the schedule.
constexpr Operands loss_gradient_operands(const Problem& p) {
    const std::array<int, 4> in = in_memory_order(p.in, p.layout);
    const bool may_be_input = p.op == Operator::mean_squared_error_input_gradient;
    Operands list;
    list.add({"input", Direction::in, p.type, 4, in});
    list.add(wanted(p));
    list.add({"output_gradient", Direction::in, p.type, 4, in_memory_order(output_shape(p), p.layout)});
    list.add({"input_gradient", Direction::out, p.type, 4, in, may_be_input ? "input" : ""});
    return list;
}

// What a step of training replaces, each by its `updated_` self, which may be the same memory.
constexpr Operands update_operands(const Problem& p) {
    struct State {
        std::string_view name, updated;
    };
    constexpr State states[] = {{"weights", "updated_weights"},
                                {"velocity", "updated_velocity"},
                                {"first_moment", "updated_first_moment"},
                                {"second_moment", "updated_second_moment"}};
    const std::span<const State> all(states);
    const std::span<const State> moments = p.op == Operator::sgd ? all.subspan(1, 1) : all.subspan(2);
    const auto row = [&](std::string_view name, Direction direction, std::string_view in_place_of = {}) {
        return Operand{name, direction, p.type, 1, {p.in.channels}, in_place_of};
    };
    Operands list;
    list.add(row("weights", Direction::in));
    list.add(row("gradient", Direction::in));
    for (const State& state : moments)
        list.add(row(state.name, Direction::in));
    list.add({"rates", Direction::in, p.type, 1, {p.op == Operator::sgd ? 3 : 6}});
    list.add(row("updated_weights", Direction::out, "weights"));
    for (const State& state : moments)
        list.add(row(state.updated, Direction::out, state.name));
    return list;
}

constexpr Operands gradient_operands(const Problem& p) {
    if (is_loss(p.op))
        return loss_gradient_operands(p);
    const std::array<int, 4> in = in_memory_order(p.in, p.layout),
                             out = in_memory_order(output_shape(p), p.layout);
    const Operator forward = forward_of(p.op);
    const Gradient gradient = facts(p.op).gradient;
    const bool is_lp = forward == Operator::lp_pool;
    Operands list;
    if (gradient == Gradient::kernel || is_lp)
        list.add({"input", Direction::in, p.type, 4, in});
    if (reads_kernel(p.op))
        list.add(kernel_operand(p));
    if (is_lp || forward == Operator::softmax)
        list.add({"output", Direction::in, p.type, 4, out});
    if (takes_slope(p))
        list.add({slope_operand(p.epilogue), Direction::in, p.type, 4, out});
    if (forward == Operator::max_pool || forward == Operator::global_max_pool)
        list.add({"indices", Direction::in, Type::i32, 4, out});
    if (forward == Operator::max_unpool)
        list.add({"indices", Direction::in, Type::i32, 4, in});
    list.add({"output_gradient", Direction::in, p.type, 4, out});
    Operand result{"input_gradient", Direction::out, p.type, 4, in};
    if (gradient == Gradient::kernel) {
        result = kernel_operand(p);
        result.name = "kernel_gradient";
        result.direction = Direction::out;
    } else if (gradient == Gradient::bias) {
        result = {"bias_gradient", Direction::out, p.type, 1, {p.out_channels}};
    } else if (gradient == Gradient::residual) {
        result = {"residual_gradient", Direction::out, p.type, 4, out};
    }
    list.add(result);
    return list;
}

} // namespace detail

// The operands of a call, inputs first, in the order in which kernels take them.
constexpr Operands operands(const Problem& p) {
    if (is_gradient(p.op))
        return detail::gradient_operands(p);
    if (is_update(p.op))
        return detail::update_operands(p);
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
    if (is_loss(p.op))
        list.add(detail::wanted(p));
    if (p.op == Operator::add)
        list.add({"residual", Direction::in, p.type, 4, in});
    list.add({"output", Direction::out, p.type, 4, out, p.op == Operator::add ? "input" : ""});
    if (p.indices)
        list.add({"indices", Direction::out, Type::i32, 4, out});
    if (p.preactivation)
        list.add({"preactivation", Direction::out, p.type, 4, out});
    return list;
}

// The operand that a call is made for: the first that it writes.
constexpr Operand main_result(const Problem& p) {
    for (const Operand& operand : operands(p))
        if (operand.direction == Direction::out)
            return operand;
    return {};
}

// Whether an output may take an input's memory. Then no element may be computed twice.
constexpr bool may_be_in_place(const Problem& p) {
    for (const Operand& operand : operands(p))
        if (!operand.in_place_of.empty())
            return true;
    return false;
}

// Whether each element of the result follows from the elements at the same place of all maps.
constexpr bool is_elementwise(const Problem& p) {
    return p.op == Operator::add || facts(p.op).gradient == Gradient::residual;
}

// The operand as the algorithm sees it. A dense layer looks at every map as one position of all its values,
// whatever its layout, in a row of them where their number is known, see as_pointwise(). What goes from
// element to element knows no end of a row, nor of an image where their number is known, and what goes from
// position to position looks at one row of them.
constexpr Operand as_seen(const Problem& p, Operand operand) {
    if (operand.rank != 4)
        return operand;
    const auto [first, second, third, last] = operand.shape;
    const bool is_known = first != open_batch;
    if (is_elementwise(p))
        operand.shape = {is_known ? 1 : open_batch, 1, 1, (is_known ? first : 1) * second * third * last};
    else if (forward_of(p.op) == Operator::dense)
        operand.shape = {is_known ? 1 : open_batch, 1, is_known ? first : 1, second * third * last};
    else if (p.op == Operator::mean_squared_error_input_gradient && p.layout == Layout::nhwc)
        operand.shape = {is_known ? 1 : open_batch, 1, (is_known ? first : 1) * second * third, last};
    else if (p.op == Operator::mean_squared_error_input_gradient)
        operand.shape = {first, second, 1, third * last};
    return operand;
}

// The operand that settles an open batch: its leading index counts the call's images.
constexpr std::string_view batch_operand(Operator op) {
    if (is_update(op))
        return "weights"; // which have no batch
    return is_gradient(op) ? "output_gradient" : "input";
}

// Elements of a map batch, an open batch counted as one image.
constexpr std::int64_t elements(Shape s) {
    using detail::saturating_product;
    const std::int64_t images = s.batch == open_batch ? 1 : s.batch;
    return saturating_product(saturating_product(images, s.height), saturating_product(s.width, s.channels));
}

// Arithmetic operations of the direct algorithm for one call (one image where the batch is open): a
// multiply-add counts as two, the padding's products are counted, the epilogue is not. For pooling, one
// operation per element of each window. A gradient of sums of products has as many as the sums, that of a
// bias or a residual one per element of the output.
constexpr std::int64_t operation_count(const Problem& p) {
    using detail::saturating_product;
    const std::int64_t window = saturating_product(p.kernel_size.height, p.kernel_size.width);
    const std::int64_t out = elements(output_shape(p)), in = elements(p.in);
    const Gradient gradient = facts(p.op).gradient;
    if (gradient == Gradient::bias || gradient == Gradient::residual)
        return out;
    switch (forward_of(p.op)) {
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
    default: // those that look at each element of the input once
        return in;
    }
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
