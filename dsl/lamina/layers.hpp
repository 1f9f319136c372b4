// The layers of a network, one aggregate per operator, written with designated initialisers. Fields stand in
// the order of the key table, between the layer's wiring (name, from) and its epilogue in the order in which
// it is applied (bias, residual, activation). What must be given is 0 until it is.
#pragma once

#include "lamina/rules.hpp"

#include <concepts>

namespace lamina {

// The non-linear function at the end of an epilogue; none unless given.
struct Activation {
    bool is_given = false;
    Step step{};
    double slope = Epilogue{}.leaky_slope.value(); // of leaky_relu below zero

    constexpr Activation() = default;
    constexpr Activation(Step s) : is_given(true), step(s) {}
};

// `leaky_relu` has the default slope, `leaky_relu(0.2)` that one.
struct LeakyRelu : Activation {
    constexpr LeakyRelu() : Activation(Step::leaky_relu) {}
    constexpr Activation operator()(double slope_below_zero) const {
        Activation activation = *this;
        activation.slope = slope_below_zero;
        return activation;
    }
};

inline constexpr Activation relu{Step::relu};
inline constexpr Activation relu6{Step::relu6};
inline constexpr LeakyRelu leaky_relu{};
inline constexpr Activation silu{Step::silu};
inline constexpr Activation gelu{Step::gelu};
inline constexpr Activation sigmoid{Step::sigmoid};
inline constexpr Activation tanh{Step::tanh};
inline constexpr Activation hard_swish{Step::hard_swish};

// In every layer: `name` is a C identifier of at most 40 characters, by default the operator and the layer's
// number among its kind; `from` names the layer that it reads, by default the one before. The network's input
// is named "input". `residual` names the layer whose output is added between bias and activation.

struct CrossCorrelation {
    static constexpr Operator op = Operator::cross_correlation;
    std::string_view name{}, from{};
    int out_channels = 0;
    Size kernel_size{0}, stride{1}, dilation{1};
    Padding padding{};
    PaddingMode padding_mode = PaddingMode::zeros;
    int groups = 1;
    Algorithm algorithm = Algorithm::fast;
    bool bias = true;
    std::string_view residual{};
    Activation activation{};
    bool preactivation = false; // give the activation's argument as well
};

struct Convolution {
    static constexpr Operator op = Operator::convolution;
    std::string_view name{}, from{};
    int out_channels = 0;
    Size kernel_size{0}, stride{1}, dilation{1};
    Padding padding{};
    PaddingMode padding_mode = PaddingMode::zeros;
    int groups = 1;
    Algorithm algorithm = Algorithm::fast;
    bool bias = true;
    std::string_view residual{};
    Activation activation{};
    bool preactivation = false; // give the activation's argument as well
};

struct TransposedConvolution {
    static constexpr Operator op = Operator::transposed_convolution;
    std::string_view name{}, from{};
    int out_channels = 0;
    Size kernel_size{0}, stride{1}, dilation{1};
    Padding padding{};
    Size output_padding{0};
    int groups = 1;
    bool bias = true;
    std::string_view residual{};
    Activation activation{};
    bool preactivation = false; // give the activation's argument as well
};

// A depthwise CrossCorrelation and the pointwise one behind it, in one kernel that keeps what is between them
// to itself. It has no gradients: a network that is trained has the two layers instead.
struct SeparableConvolution {
    static constexpr Operator op = Operator::separable_convolution;
    std::string_view name{}, from{};
    int out_channels = 0;
    Size kernel_size{0}, stride{1}, dilation{1};
    Padding padding{};
    PaddingMode padding_mode = PaddingMode::zeros;
    bool depthwise_bias = true;
    Activation depthwise_activation{};
    bool bias = true;
    std::string_view residual{};
    Activation activation{};
};

// A CrossCorrelation and the MaxPool behind it, in one kernel that keeps what is between them to itself. It
// has no gradients: a network that is trained has the two layers instead.
struct PooledCrossCorrelation {
    static constexpr Operator op = Operator::pooled_cross_correlation;
    std::string_view name{}, from{};
    int out_channels = 0;
    Size kernel_size{0}, stride{1}, dilation{1};
    Padding padding{};
    PaddingMode padding_mode = PaddingMode::zeros;
    int groups = 1;
    Algorithm algorithm = Algorithm::fast;
    bool bias = true;
    Activation activation{};
    Size pool_kernel_size{0}, pool_stride{1};
    Padding pool_padding{};
};

struct MaxPool {
    static constexpr Operator op = Operator::max_pool;
    std::string_view name{}, from{};
    Size kernel_size{0}, stride{1}, dilation{1};
    Padding padding{};
    bool ceil = false;
    bool indices = false;
};

struct AveragePool {
    static constexpr Operator op = Operator::average_pool;
    std::string_view name{}, from{};
    Size kernel_size{0}, stride{1};
    Padding padding{};
    bool count_padding = false;
    bool ceil = false;
};

struct LpPool {
    static constexpr Operator op = Operator::lp_pool;
    std::string_view name{}, from{};
    Size kernel_size{0}, stride{1};
    Padding padding{};
    bool ceil = false;
    double power = 2; // at most six digits behind the point
};

struct GlobalMaxPool {
    static constexpr Operator op = Operator::global_max_pool;
    std::string_view name{}, from{};
    bool indices = false;
};

struct GlobalAveragePool {
    static constexpr Operator op = Operator::global_average_pool;
    std::string_view name{}, from{};
};

// `indices_from` names the MaxPool, with .indices = true, whose maxima it puts back.
struct MaxUnpool {
    static constexpr Operator op = Operator::max_unpool;
    std::string_view name{}, from{};
    Size kernel_size{0}, stride{1};
    Padding padding{};
    Size output_padding{0};
    std::string_view indices_from{};
};

struct Dense {
    static constexpr Operator op = Operator::dense;
    std::string_view name{}, from{};
    int out_channels = 0;
    bool bias = true;
    std::string_view residual{};
    Activation activation{};
    bool preactivation = false; // give the activation's argument as well
};

struct Softmax {
    static constexpr Operator op = Operator::softmax;
    std::string_view name{}, from{};
};

template <class T>
concept Layer = requires(const T& layer) {
    { T::op } -> std::same_as<const Operator&>;
    { layer.name } -> std::convertible_to<std::string_view>;
    { layer.from } -> std::convertible_to<std::string_view>;
};

namespace layer_error {
void number_must_be_below_a_billion_with_at_most_six_decimals();
void step_is_not_an_activation();
} // namespace layer_error

namespace detail {

// A problem keeps its numbers in exact millionths, so that its text says what is computed.
consteval Decimal exact_decimal(double number) {
    if (number > -1e9 && number < 1e9) {
        const Decimal decimal{static_cast<std::int64_t>(number * 1e6 + (number < 0 ? -0.5 : 0.5))};
        if (decimal.value() == number)
            return decimal;
    }
    layer_error::number_must_be_below_a_billion_with_at_most_six_decimals();
    return {};
}

consteval Epilogue epilogue_of(bool has_bias, bool has_residual, const Activation& activation) {
    Epilogue epilogue;
    if (has_bias)
        epilogue.add(Step::bias);
    if (has_residual)
        epilogue.add(Step::residual);
    if (activation.is_given && !is_activation(activation.step))
        layer_error::step_is_not_an_activation();
    if (activation.is_given)
        epilogue.add(activation.step);
    if (epilogue.has(Step::leaky_relu))
        epilogue.leaky_slope = exact_decimal(activation.slope);
    return epilogue;
}

} // namespace detail

// The layer's problem on that input: the fields that it has, by the names of the keys.
template <Layer T>
consteval Problem to_problem(const T& layer, Shape in, Layout layout = Layout::nhwc) {
    Problem p = default_problem(T::op);
    p.in = in;
    p.layout = layout;
#define LAMINA_COPY_FIELD(field)                                                                             \
    if constexpr (requires { layer.field; })                                                                 \
        p.field = layer.field;
    LAMINA_COPY_FIELD(out_channels)
    LAMINA_COPY_FIELD(kernel_size)
    LAMINA_COPY_FIELD(stride)
    LAMINA_COPY_FIELD(dilation)
    LAMINA_COPY_FIELD(padding)
    LAMINA_COPY_FIELD(padding_mode)
    LAMINA_COPY_FIELD(output_padding)
    LAMINA_COPY_FIELD(groups)
    LAMINA_COPY_FIELD(algorithm)
    LAMINA_COPY_FIELD(pool_kernel_size)
    LAMINA_COPY_FIELD(pool_stride)
    LAMINA_COPY_FIELD(pool_padding)
    LAMINA_COPY_FIELD(count_padding)
    LAMINA_COPY_FIELD(ceil)
    LAMINA_COPY_FIELD(indices)
    LAMINA_COPY_FIELD(preactivation)
#undef LAMINA_COPY_FIELD
    if constexpr (requires { layer.power; })
        p.power = detail::exact_decimal(layer.power);
    if constexpr (requires { layer.depthwise_activation; })
        p.depthwise_epilogue = detail::epilogue_of(layer.depthwise_bias, false, layer.depthwise_activation);
    if constexpr (requires { layer.residual; })
        p.epilogue = detail::epilogue_of(layer.bias, !layer.residual.empty(), layer.activation);
    else if constexpr (requires { layer.activation; })
        p.epilogue = detail::epilogue_of(layer.bias, false, layer.activation);
    return p;
}

} // namespace lamina
