// The keys of a problem, each once: from this table come the text form, the generators' params, the command's
// help and the documentation.
#pragma once

#include "lamina/operators.hpp"

namespace lamina {

// The names of an enumeration's values, in the order of its enumerators.
inline constexpr std::string_view padding_mode_names[] = {"zeros", "reflect", "replicate", "circular"};
inline constexpr std::string_view layout_names[] = {"nhwc", "nchw"};
inline constexpr std::string_view type_names[] = {"f32", "i32"};
inline constexpr std::string_view algorithm_names[] = {"fast", "exact"};
inline constexpr std::string_view step_names[] = {"bias", "residual", "relu",    "relu6", "leaky_relu",
                                                  "silu", "gelu",     "sigmoid", "tanh",  "hard_swish"};

constexpr bool is_activation(Step step) {
    return step != Step::bias && step != Step::residual;
}
constexpr std::string_view name_of(Step step) {
    return step_names[static_cast<std::size_t>(step)];
}
constexpr std::string_view name_of(Layout layout) {
    return layout_names[static_cast<std::size_t>(layout)];
}
constexpr std::string_view name_of(Type type) {
    return type_names[static_cast<std::size_t>(type)];
}

namespace detail {

// Takes the text up to `mark` off the front of `rest`; all of it where there is none.
constexpr std::string_view take_until(std::string_view& rest, char mark) {
    const std::size_t at = rest.find(mark);
    const std::string_view head = rest.substr(0, at);
    rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
    return head;
}

constexpr int count_of(std::string_view text, char mark) {
    int count = 0;
    for (char c : text)
        count += c == mark;
    return count;
}

constexpr bool parse_size(Size& size, std::string_view value) {
    std::string_view rest = value;
    const ParsedInt height = parse_int(take_until(rest, 'x'));
    const ParsedInt width = count_of(value, 'x') == 0 ? height : parse_int(rest);
    if (!height.ok || !width.ok)
        return false;
    size = {height.value, width.value};
    return true;
}
constexpr void print_size(Text& text, Size size) {
    text << size.height << "x" << size.width;
}

constexpr bool parse_shape(Shape& shape, std::string_view value) {
    if (count_of(value, 'x') != 3)
        return false;
    std::string_view rest = value;
    const std::string_view batch = take_until(rest, 'x');
    const ParsedInt n = batch == "?" ? ParsedInt{true, open_batch} : parse_int(batch);
    const ParsedInt h = parse_int(take_until(rest, 'x'));
    const ParsedInt w = parse_int(take_until(rest, 'x'));
    const ParsedInt c = parse_int(rest);
    if (!n.ok || !h.ok || !w.ok || !c.ok || (n.value == open_batch && batch != "?"))
        return false;
    shape = {n.value, h.value, w.value, c.value};
    return true;
}

constexpr bool parse_padding(Padding& padding, std::string_view value) {
    if (value == "same" || value == "valid") {
        padding = value == "same" ? same : valid;
        return true;
    }
    if (count_of(value, ',') == 0) {
        Size size;
        if (!parse_size(size, value))
            return false;
        padding = size;
        return true;
    }
    if (count_of(value, ',') != 3)
        return false;
    std::array<int, 4> sides{};
    for (int& side : sides) {
        const ParsedInt number = parse_int(take_until(value, ','));
        if (!number.ok)
            return false;
        side = number.value;
    }
    padding = {sides[0], sides[1], sides[2], sides[3]};
    return true;
}

constexpr void print_padding(Text& text, const Padding& padding) {
    if (padding.is_same)
        text << "same";
    else if (padding.top == padding.bottom && padding.left == padding.right)
        print_size(text, {padding.top, padding.left});
    else
        text << padding.top << "," << padding.bottom << "," << padding.left << "," << padding.right;
}

template <class Enum, std::size_t N>
constexpr bool parse_name(Enum& value, std::string_view text, const std::string_view (&names)[N]) {
    for (std::size_t i = 0; i < N; ++i)
        if (names[i] == text) {
            value = static_cast<Enum>(i);
            return true;
        }
    return false;
}

constexpr bool parse_flag(bool& flag, std::string_view value) {
    flag = value == "yes";
    return value == "yes" || value == "no";
}

constexpr bool parse_step(Epilogue& epilogue, std::string_view text) {
    std::string_view rest = text;
    const std::string_view name = take_until(rest, ':');
    Step step{};
    if (!parse_name(step, name, step_names) || epilogue.count == Epilogue::max_steps)
        return false;
    for (int i = 0; i < epilogue.count; ++i) {
        const Step earlier = epilogue.steps[static_cast<std::size_t>(i)];
        if (earlier == step || (is_activation(earlier) && is_activation(step)))
            return false;
    }
    if (name.size() != text.size()) {
        const ParsedDecimal slope = parse_decimal(rest);
        if (step != Step::leaky_relu || !slope.ok)
            return false;
        epilogue.leaky_slope = slope.value;
    }
    epilogue.add(step);
    return true;
}

constexpr bool parse_epilogue(Epilogue& epilogue, std::string_view value) {
    Epilogue steps;
    if (value != "none")
        for (int left = count_of(value, ',') + 1; left > 0; --left)
            if (!parse_step(steps, take_until(value, ',')))
                return false;
    epilogue = steps;
    return true;
}

constexpr void print_epilogue(Text& text, const Epilogue& epilogue) {
    if (epilogue.count == 0)
        text << "none";
    for (int i = 0; i < epilogue.count; ++i) {
        const Step step = epilogue.steps[static_cast<std::size_t>(i)];
        text << (i > 0 ? "," : "") << name_of(step);
        if (step == Step::leaky_relu && epilogue.leaky_slope != Epilogue{}.leaky_slope)
            text << ":" << epilogue.leaky_slope;
    }
}

// Sets of operators, one bit each.
static_assert(std::size(operator_table) <= 64);
template <class... Ops>
constexpr std::uint64_t only(Ops... ops) {
    return ((std::uint64_t{1} << static_cast<unsigned>(ops)) | ...);
}
constexpr std::uint64_t where(bool (*test)(const OperatorFacts&)) {
    std::uint64_t set = 0;
    for (const OperatorFacts& row : operator_table)
        set |= test(row) ? only(row.op) : 0;
    return set;
}
// These, and their gradients.
template <class... Ops>
constexpr std::uint64_t one_of(Ops... ops) {
    std::uint64_t set = 0;
    for (const OperatorFacts& row : operator_table)
        set |= ((row.forward == ops) || ...) ? only(row.op) : 0;
    return set;
}
inline constexpr std::uint64_t all = where([](const OperatorFacts&) { return true; });
inline constexpr std::uint64_t weighted = where([](const OperatorFacts& row) { return row.has_kernel; });
inline constexpr std::uint64_t weighted_trained = where([](const OperatorFacts& row) {
    return row.has_kernel && row.gradient == Gradient::none && has_gradients(row.op);
});
inline constexpr std::uint64_t mapped = where([](const OperatorFacts& row) { return !is_update(row.op); });
inline constexpr std::uint64_t windowed = where([](const OperatorFacts& row) { return row.has_window; });
using enum Operator;

} // namespace detail

struct Key {
    std::string_view name;
    std::string_view form;    // what a value looks like
    std::string_view meaning; // unit, effect, default
    std::uint64_t operators;  // one bit per operator that has this key
    bool is_required;
    bool (*parse)(Problem&, std::string_view value); // false where the value is not of the form
    void (*print)(const Problem&, Text&);

    constexpr bool applies_to(Operator op) const { return (operators & detail::only(op)) != 0; }
};

inline constexpr Key key_table[] = {
    {"in", "NxHxWxC",
     "the input's batch (? leaves it open), height, width and channels, in this order in every layout",
     detail::all, true, [](Problem& p, std::string_view v) { return detail::parse_shape(p.in, v); },
     [](const Problem& p, Text& t) {
         if (p.in.batch == open_batch)
             t << "?";
         else
             t << p.in.batch;
         t << "x" << p.in.height << "x" << p.in.width << "x" << p.in.channels;
     }},
    {"out_channels", "K", "channels of the output", detail::weighted, true,
     [](Problem& p, std::string_view v) {
         const ParsedInt number = parse_int(v);
         p.out_channels = number.value;
         return number.ok;
     },
     [](const Problem& p, Text& t) { t << p.out_channels; }},
    {"kernel_size", "HxW", "rows and columns of the kernel or window; one number for both", detail::windowed,
     true, [](Problem& p, std::string_view v) { return detail::parse_size(p.kernel_size, v); },
     [](const Problem& p, Text& t) { detail::print_size(t, p.kernel_size); }},
    {"stride", "HxW", "positions between neighbouring windows, default 1", detail::windowed, false,
     [](Problem& p, std::string_view v) { return detail::parse_size(p.stride, v); },
     [](const Problem& p, Text& t) { detail::print_size(t, p.stride); }},
    {"dilation", "HxW", "positions between neighbouring elements of the kernel, default 1",
     detail::one_of(detail::cross_correlation, detail::convolution, detail::transposed_convolution,
                    detail::separable_convolution, detail::pooled_cross_correlation, detail::max_pool),
     false, [](Problem& p, std::string_view v) { return detail::parse_size(p.dilation, v); },
     [](const Problem& p, Text& t) { detail::print_size(t, p.dilation); }},
    {"padding", "same|valid|P|PHxPW|TOP,BOTTOM,LEFT,RIGHT",
     "rows and columns added around the input; same gives ceil(X/stride) outputs; default 0",
     detail::windowed, false,
     [](Problem& p, std::string_view v) { return detail::parse_padding(p.padding, v); },
     [](const Problem& p, Text& t) { detail::print_padding(t, p.padding); }},
    {"padding_mode", "zeros|reflect|replicate|circular", "what the padding holds, default zeros",
     detail::one_of(detail::cross_correlation, detail::convolution, detail::separable_convolution,
                    detail::pooled_cross_correlation),
     false,
     [](Problem& p, std::string_view v) { return detail::parse_name(p.padding_mode, v, padding_mode_names); },
     [](const Problem& p, Text& t) { t << padding_mode_names[static_cast<std::size_t>(p.padding_mode)]; }},
    {"output_padding", "HxW", "rows and columns added at the output's end, default 0",
     detail::one_of(detail::transposed_convolution, detail::max_unpool), false,
     [](Problem& p, std::string_view v) { return detail::parse_size(p.output_padding, v); },
     [](const Problem& p, Text& t) { detail::print_size(t, p.output_padding); }},
    {"groups", "G", "channel groups that do not see each other, default 1; G = C = K is depthwise",
     detail::one_of(detail::cross_correlation, detail::convolution, detail::transposed_convolution,
                    detail::pooled_cross_correlation),
     false,
     [](Problem& p, std::string_view v) {
         const ParsedInt number = parse_int(v);
         p.groups = number.value;
         return number.ok;
     },
     [](const Problem& p, Text& t) { t << p.groups; }},
    {"layout", "nhwc|nchw", "order of the maps in memory, the last letter contiguous, default nhwc",
     detail::mapped, false,
     [](Problem& p, std::string_view v) { return detail::parse_name(p.layout, v, layout_names); },
     [](const Problem& p, Text& t) { t << name_of(p.layout); }},
    {"type", "f32", "element type, default f32", detail::all, false,
     [](Problem& p, std::string_view v) { return v == "f32" && detail::parse_name(p.type, v, type_names); },
     [](const Problem& p, Text& t) { t << name_of(p.type); }},
    {"algorithm", "fast|exact",
     "exact forbids algorithms that round differently from the sum itself; default fast",
     detail::one_of(detail::cross_correlation, detail::convolution, detail::pooled_cross_correlation), false,
     [](Problem& p, std::string_view v) { return detail::parse_name(p.algorithm, v, algorithm_names); },
     [](const Problem& p, Text& t) { t << algorithm_names[static_cast<std::size_t>(p.algorithm)]; }},
    {"depthwise_epilogue", "none|STEP,STEP",
     "fused steps behind the depthwise sums, of which the 1x1 kernel's are made: bias and an activation; "
     "default bias",
     detail::only(detail::separable_convolution), false,
     [](Problem& p, std::string_view v) { return detail::parse_epilogue(p.depthwise_epilogue, v); },
     [](const Problem& p, Text& t) { detail::print_epilogue(t, p.depthwise_epilogue); }},
    {"epilogue", "none|STEP,STEP,...",
     "fused steps in their order, at most one each of bias, residual and an activation: relu, relu6, "
     "leaky_relu[:SLOPE], "
     "silu, gelu, sigmoid, tanh, hard_swish; default bias",
     detail::weighted, false,
     [](Problem& p, std::string_view v) { return detail::parse_epilogue(p.epilogue, v); },
     [](const Problem& p, Text& t) { detail::print_epilogue(t, p.epilogue); }},
    {"pool_kernel_size", "HxW",
     "rows and columns of the windows, over what the epilogue gives, of which the largest value stays",
     detail::only(detail::pooled_cross_correlation), true,
     [](Problem& p, std::string_view v) { return detail::parse_size(p.pool_kernel_size, v); },
     [](const Problem& p, Text& t) { detail::print_size(t, p.pool_kernel_size); }},
    {"pool_stride", "HxW", "positions between neighbouring windows of the pool, default 1",
     detail::only(detail::pooled_cross_correlation), false,
     [](Problem& p, std::string_view v) { return detail::parse_size(p.pool_stride, v); },
     [](const Problem& p, Text& t) { detail::print_size(t, p.pool_stride); }},
    {"pool_padding", "same|valid|P|PHxPW|TOP,BOTTOM,LEFT,RIGHT",
     "rows and columns around what is pooled, which never are a window's largest value; default 0",
     detail::only(detail::pooled_cross_correlation), false,
     [](Problem& p, std::string_view v) { return detail::parse_padding(p.pool_padding, v); },
     [](const Problem& p, Text& t) { detail::print_padding(t, p.pool_padding); }},
    {"count_padding", "yes|no", "whether the padding counts in the mean's divisor, default no",
     detail::one_of(detail::average_pool), false,
     [](Problem& p, std::string_view v) { return detail::parse_flag(p.count_padding, v); },
     [](const Problem& p, Text& t) { t << (p.count_padding ? "yes" : "no"); }},
    {"ceil", "yes|no", "whether a last, partial window gives an output, default no",
     detail::one_of(detail::max_pool, detail::average_pool, detail::lp_pool), false,
     [](Problem& p, std::string_view v) { return detail::parse_flag(p.ceil, v); },
     [](const Problem& p, Text& t) { t << (p.ceil ? "yes" : "no"); }},
    {"power", "P", "the norm's power, up to six digits behind the point, default 2",
     detail::one_of(detail::lp_pool), false,
     [](Problem& p, std::string_view v) {
         const ParsedDecimal number = parse_decimal(v);
         p.power = number.value;
         return number.ok;
     },
     [](const Problem& p, Text& t) { t << p.power; }},
    {"indices", "yes|no",
     "whether the pool also gives row * width + column of each maximum, which its gradient takes; default no",
     detail::only(detail::max_pool, detail::global_max_pool), false,
     [](Problem& p, std::string_view v) { return detail::parse_flag(p.indices, v); },
     [](const Problem& p, Text& t) { t << (p.indices ? "yes" : "no"); }},
    {"preactivation", "yes|no",
     "whether the kernel also gives the activation's argument, which some activations' gradients take; "
     "default no",
     detail::weighted_trained, false,
     [](Problem& p, std::string_view v) { return detail::parse_flag(p.preactivation, v); },
     [](const Problem& p, Text& t) { t << (p.preactivation ? "yes" : "no"); }},
};
inline constexpr std::size_t key_count = std::size(key_table);

// The problem of that operator with every optional key at its default and the required ones unset.
constexpr Problem default_problem(Operator op) {
    Problem problem;
    problem.op = op;
    if (facts(op).has_kernel)
        problem.epilogue.add(Step::bias);
    if (op == Operator::separable_convolution)
        problem.depthwise_epilogue.add(Step::bias);
    return problem;
}

} // namespace lamina
