// What makes a problem impossible. The text form, the compile-time layers and the generators all ask
// broken_rule().
#pragma once

#include "lamina/shapes.hpp"

namespace lamina {

// Each name reads as what is wrong: a layer that breaks one at compile time makes the compiler print it.
#define LAMINA_RULES(RULE)                                                                                   \
    RULE(key_does_not_apply_to_this_operator)                                                                \
    RULE(only_type_f32_can_be_computed)                                                                      \
    RULE(input_height_width_and_channels_must_be_positive)                                                   \
    RULE(batch_must_not_be_negative)                                                                         \
    RULE(weights_to_update_are_one_row_of_values_1x1x1xN)                                                    \
    RULE(out_channels_must_be_positive)                                                                      \
    RULE(kernel_size_must_be_positive)                                                                       \
    RULE(stride_must_be_positive)                                                                            \
    RULE(dilation_must_be_positive)                                                                          \
    RULE(padding_must_not_be_negative)                                                                       \
    RULE(groups_must_be_positive)                                                                            \
    RULE(groups_must_divide_the_input_channels)                                                              \
    RULE(groups_must_divide_the_output_channels)                                                             \
    RULE(padding_same_is_not_defined_for_this_operator)                                                      \
    RULE(size_is_beyond_the_index_range)                                                                     \
    RULE(kernel_is_larger_than_the_padded_input)                                                             \
    RULE(reflected_padding_must_be_smaller_than_the_input)                                                   \
    RULE(circular_padding_must_not_exceed_the_input)                                                         \
    RULE(pool_padding_must_be_smaller_than_the_window)                                                       \
    RULE(dilated_pool_window_could_hold_only_padding)                                                        \
    RULE(output_padding_must_be_smaller_than_stride_or_dilation)                                             \
    RULE(transposed_output_would_be_empty)                                                                   \
    RULE(power_must_be_positive)                                                                             \
    RULE(epilogue_has_a_step_twice_or_two_activations)                                                       \
    RULE(depthwise_epilogue_must_not_have_a_residual)                                                        \
    RULE(epilogue_before_a_pool_must_not_have_a_residual)                                                    \
    RULE(epilogue_lacks_the_step_of_this_gradient)                                                           \
    RULE(preactivation_needs_an_activation)                                                                  \
    RULE(leaky_relu_slope_must_not_be_negative)                                                              \
    RULE(operand_has_more_elements_than_the_index_range)

enum class Rule : std::uint8_t {
    none,
#define LAMINA_RULE(name) name,
    LAMINA_RULES(LAMINA_RULE)
#undef LAMINA_RULE
};

namespace detail {

// Sizes up to here leave room for every sum of a few of them in 32 bits, which is what kernels index with.
inline constexpr int max_size = 1 << 29;

constexpr bool both(Size size, bool (*test)(int)) {
    return test(size.height) && test(size.width);
}
constexpr bool is_positive(int value) {
    return value >= 1;
}
constexpr bool is_not_negative(int value) {
    return value >= 0;
}

constexpr Rule sizes_rule(const Problem& p) {
    if (p.in.height < 1 || p.in.width < 1 || p.in.channels < 1)
        return Rule::input_height_width_and_channels_must_be_positive;
    if (p.in.batch < 0)
        return Rule::batch_must_not_be_negative;
    if (is_update(p.op) && (p.in.batch != 1 || p.in.height != 1 || p.in.width != 1))
        return Rule::weights_to_update_are_one_row_of_values_1x1x1xN;
    if (facts(p.op).has_kernel && p.out_channels < 1)
        return Rule::out_channels_must_be_positive;
    if (!both(p.kernel_size, is_positive))
        return Rule::kernel_size_must_be_positive;
    if (!both(p.stride, is_positive))
        return Rule::stride_must_be_positive;
    if (!both(p.dilation, is_positive))
        return Rule::dilation_must_be_positive;
    const Padding& pad = p.padding;
    if (!both({pad.top, pad.bottom}, is_not_negative) || !both({pad.left, pad.right}, is_not_negative) ||
        !both(p.output_padding, is_not_negative))
        return Rule::padding_must_not_be_negative;
    for (const Axis& axis : {rows(p), columns(p)})
        for (std::int64_t size :
             {axis.size, axis.kernel, axis.stride, axis.dilation, axis.begin, axis.end, axis.extent()})
            if (size > max_size)
                return Rule::size_is_beyond_the_index_range;
    return Rule::none;
}

constexpr Rule groups_rule(const Problem& p) {
    if (p.groups < 1)
        return Rule::groups_must_be_positive;
    if (p.in.channels % p.groups != 0)
        return Rule::groups_must_divide_the_input_channels;
    if (facts(p.op).has_kernel && p.out_channels % p.groups != 0)
        return Rule::groups_must_divide_the_output_channels;
    return Rule::none;
}

constexpr Rule padding_rule(const Problem& p, const Axis& axis) {
    const std::int64_t largest = axis.begin > axis.end ? axis.begin : axis.end;
    if (p.padding_mode == PaddingMode::reflect && largest >= axis.size)
        return Rule::reflected_padding_must_be_smaller_than_the_input;
    if (p.padding_mode == PaddingMode::circular && largest > axis.size)
        return Rule::circular_padding_must_not_exceed_the_input;
    if (!facts(p.op).has_kernel && largest >= axis.extent())
        return Rule::pool_padding_must_be_smaller_than_the_window;
    if (!facts(p.op).has_kernel && axis.begin > 0 && axis.dilation > axis.size)
        return Rule::dilated_pool_window_could_hold_only_padding;
    return Rule::none;
}

constexpr Rule window_rule(const Problem& p, const Axis& axis) {
    if (is_transposed(p.op)) {
        if (axis.output_padding >= axis.stride && axis.output_padding >= axis.dilation)
            return Rule::output_padding_must_be_smaller_than_stride_or_dilation;
        if (transposed_size(axis) < 1)
            return Rule::transposed_output_would_be_empty;
    } else if (window_count(axis, p.ceil) < 1) {
        return Rule::kernel_is_larger_than_the_padded_input;
    }
    return padding_rule(p, axis);
}

constexpr bool has_foreign_key(const Problem& p) {
    const Problem defaults = default_problem(p.op);
    for (const Key& key : key_table) {
        Text value, usual;
        if (key.applies_to(p.op))
            continue;
        key.print(p, value);
        key.print(defaults, usual);
        if (value != usual)
            return true;
    }
    return false;
}

constexpr bool is_epilogue_well_formed(const Epilogue& epilogue) {
    if (epilogue.count < 0 || epilogue.count > Epilogue::max_steps)
        return false;
    int activations = 0, biases = 0, residuals = 0;
    for (int i = 0; i < epilogue.count; ++i) {
        const Step step = epilogue.steps[static_cast<std::size_t>(i)];
        activations += is_activation(step);
        biases += step == Step::bias;
        residuals += step == Step::residual;
    }
    return activations <= 1 && biases <= 1 && residuals <= 1;
}

constexpr bool lacks_step_of_gradient(const Problem& p) {
    const Gradient gradient = facts(p.op).gradient;
    return (gradient == Gradient::bias && !p.epilogue.has(Step::bias)) ||
           (gradient == Gradient::residual && !p.epilogue.has(Step::residual));
}

} // namespace detail

// The first rule that the problem breaks, or Rule::none.
constexpr Rule broken_rule(const Problem& p);

namespace detail {

// The rule that the pool of a pooled cross-correlation breaks, which breaks none before it.
constexpr Rule pool_rule(const Problem& p) {
    if (p.op != Operator::pooled_cross_correlation)
        return Rule::none;
    return p.epilogue.has(Step::residual) ? Rule::epilogue_before_a_pool_must_not_have_a_residual
                                          : broken_rule(pooling_part(p));
}

} // namespace detail

constexpr Rule broken_rule(const Problem& p) {
    if (!detail::is_epilogue_well_formed(p.epilogue) ||
        !detail::is_epilogue_well_formed(p.depthwise_epilogue))
        return Rule::epilogue_has_a_step_twice_or_two_activations;
    if (detail::has_foreign_key(p))
        return Rule::key_does_not_apply_to_this_operator;
    if (p.type != Type::f32)
        return Rule::only_type_f32_can_be_computed;
    Rule rule = detail::sizes_rule(p);
    if (rule == Rule::none)
        rule = detail::groups_rule(p);
    if (rule == Rule::none && p.padding.is_same && detail::is_transposed(p.op))
        rule = Rule::padding_same_is_not_defined_for_this_operator;
    if (facts(p.op).has_window)
        for (const detail::Axis& axis : {detail::rows(p), detail::columns(p)})
            if (rule == Rule::none)
                rule = detail::window_rule(p, axis);
    if (rule == Rule::none && p.power.millionths < 1)
        rule = Rule::power_must_be_positive;
    if (rule == Rule::none && detail::lacks_step_of_gradient(p))
        rule = Rule::epilogue_lacks_the_step_of_this_gradient;
    if (rule == Rule::none && p.preactivation && !activation_of(p.epilogue))
        rule = Rule::preactivation_needs_an_activation;
    if (rule == Rule::none && p.depthwise_epilogue.has(Step::residual))
        rule = Rule::depthwise_epilogue_must_not_have_a_residual;
    if (rule == Rule::none &&
        (p.epilogue.leaky_slope.millionths < 0 || p.depthwise_epilogue.leaky_slope.millionths < 0))
        rule = Rule::leaky_relu_slope_must_not_be_negative;
    if (rule == Rule::none)
        rule = detail::pool_rule(p);
    if (rule != Rule::none)
        return rule;
    for (const detail::Axis& axis : {detail::rows(p), detail::columns(p)})
        if (detail::output_size(p, axis) > detail::max_size)
            return Rule::size_is_beyond_the_index_range;
    for (const Operand& operand : operands(p))
        if (operand.elements() > std::numeric_limits<std::int32_t>::max())
            return Rule::operand_has_more_elements_than_the_index_range;
    if (p.op == Operator::separable_convolution &&
        elements(pointwise_part(p).in) > std::numeric_limits<std::int32_t>::max())
        return Rule::operand_has_more_elements_than_the_index_range;
    return Rule::none;
}

namespace detail {

constexpr std::string_view rule_name(Rule rule) {
    constexpr std::string_view names[] = {"",
#define LAMINA_RULE(name) #name,
                                          LAMINA_RULES(LAMINA_RULE)
#undef LAMINA_RULE
    };
    return names[static_cast<std::size_t>(rule)];
}

// The keys whose values make the rule break, first the one to change.
constexpr std::array<std::string_view, 3> keys_of(Rule rule) {
    switch (rule) {
    case Rule::out_channels_must_be_positive:
        return {"out_channels"};
    case Rule::kernel_size_must_be_positive:
        return {"kernel_size"};
    case Rule::stride_must_be_positive:
        return {"stride"};
    case Rule::dilation_must_be_positive:
        return {"dilation"};
    case Rule::padding_must_not_be_negative:
    case Rule::padding_same_is_not_defined_for_this_operator:
        return {"padding"};
    case Rule::groups_must_be_positive:
        return {"groups"};
    case Rule::groups_must_divide_the_input_channels:
        return {"groups", "in"};
    case Rule::groups_must_divide_the_output_channels:
        return {"groups", "out_channels"};
    case Rule::kernel_is_larger_than_the_padded_input:
        return {"kernel_size", "padding", "dilation"};
    case Rule::reflected_padding_must_be_smaller_than_the_input:
    case Rule::circular_padding_must_not_exceed_the_input:
        return {"padding", "in", "padding_mode"};
    case Rule::pool_padding_must_be_smaller_than_the_window:
        return {"padding", "kernel_size"};
    case Rule::dilated_pool_window_could_hold_only_padding:
        return {"dilation", "padding", "in"};
    case Rule::output_padding_must_be_smaller_than_stride_or_dilation:
        return {"output_padding", "stride", "dilation"};
    case Rule::transposed_output_would_be_empty:
        return {"padding", "kernel_size", "stride"};
    case Rule::power_must_be_positive:
        return {"power"};
    case Rule::preactivation_needs_an_activation:
        return {"preactivation", "epilogue"};
    case Rule::depthwise_epilogue_must_not_have_a_residual:
        return {"depthwise_epilogue"};
    case Rule::epilogue_lacks_the_step_of_this_gradient:
    case Rule::epilogue_before_a_pool_must_not_have_a_residual:
        return {"epilogue"};
    case Rule::epilogue_has_a_step_twice_or_two_activations:
    case Rule::leaky_relu_slope_must_not_be_negative:
        return {"epilogue", "depthwise_epilogue"};
    default:
        return {"in"};
    }
}

// Whether the rule is about the keys of a pool, which are called as max_pool's with `pool_` in front.
constexpr bool is_about_pool(Rule rule, const Problem& p) {
    return p.op == Operator::pooled_cross_correlation && rule == pool_rule(p) &&
           rule != Rule::epilogue_before_a_pool_must_not_have_a_residual &&
           broken_rule(as_convolution(p)) == Rule::none;
}

constexpr bool is_named(const Key& key, std::string_view name, bool is_of_pool) {
    constexpr std::string_view prefix = "pool_";
    return is_of_pool ? key.name.starts_with(prefix) && key.name.substr(prefix.size()) == name
                      : key.name == name;
}

} // namespace detail

// Why the problem cannot exist, with the keys and values that make it so; empty for Rule::none.
constexpr Text explain(Rule rule, const Problem& p) {
    Text text;
    if (rule == Rule::none)
        return text;
    const bool is_of_pool = detail::is_about_pool(rule, p);
    for (std::string_view name : detail::keys_of(rule))
        for (const Key& key : key_table)
            if (detail::is_named(key, name, is_of_pool) && key.applies_to(p.op)) {
                text << (text.empty() ? "" : " ") << key.name << "=";
                key.print(p, text);
            }
    text << ": ";
    for (char c : detail::rule_name(rule))
        text << (c == '_' ? std::string_view(" ") : std::string_view(&c, 1));
    if (rule == Rule::kernel_is_larger_than_the_padded_input) {
        const Shape in = is_of_pool ? pooling_part(p).in : p.in;
        text << " (in=" << in.height << "x" << in.width << ")";
    }
    return text;
}

// Reached only by a layer that cannot exist: none of these is constexpr, so the compiler stops and prints its
// name.
namespace layer_error {
#define LAMINA_RULE(name) void name();
LAMINA_RULES(LAMINA_RULE)
#undef LAMINA_RULE
} // namespace layer_error

// Stops the compilation, naming the rule, where the problem cannot exist; the problem otherwise.
consteval Problem existing(const Problem& p) {
    switch (broken_rule(p)) {
    case Rule::none:
        break;
#define LAMINA_RULE(name)                                                                                    \
    case Rule::name:                                                                                         \
        layer_error::name();                                                                                 \
        break;
        LAMINA_RULES(LAMINA_RULE)
#undef LAMINA_RULE
    }
    return p;
}

} // namespace lamina
