// The buffers of a kernel call: the one definition for generators, headers, the runtime's checks and tests.
#pragma once

#include "lamina/equivalents.hpp"

namespace lamina {

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

constexpr Operand kernel_operand(const Problem& p) {
    if (p.op == Operator::separable_convolution)
        return kernel_operand(pointwise_part(p));
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

// Whether the operand is one that training would settle.
constexpr bool is_weight(const Operand& operand) {
    return operand.name == "kernel" || operand.name == "bias" || operand.name == "depthwise_kernel" ||
           operand.name == "depthwise_bias";
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

namespace detail {

// Those of the depthwise part, beside its input and output.
constexpr void add_depthwise_operands(Operands& list, const Problem& p) {
    const Problem part = depthwise_part(p);
    Operand kernel = kernel_operand(part);
    kernel.name = "depthwise_kernel";
    list.add(kernel);
    if (part.epilogue.has(Step::bias))
        list.add({"depthwise_bias", Direction::in, p.type, 1, {part.out_channels}});
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
    if (p.op == Operator::separable_convolution)
        detail::add_depthwise_operands(list, p);
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
    // A residual is read for the preactivation as well, behind the output.
    const bool may_be_residual = p.epilogue.has(Step::residual) && !p.preactivation;
    list.add({"output", Direction::out, p.type, 4, out,
              p.op == Operator::add ? "input"
              : may_be_residual     ? "residual"
                                    : ""});
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

} // namespace lamina
