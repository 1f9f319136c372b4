// One operator on one input shape, type and layout. Everything that Lamina does to a layer, it does to a
// Problem.
#pragma once

#include "lamina/text.hpp"

#include <array>
#include <cstdint>

namespace lamina {

enum class Operator : std::uint8_t {
    cross_correlation,
    convolution,
    transposed_convolution,
    separable_convolution,
    pooled_cross_correlation,
    max_pool,
    average_pool,
    lp_pool,
    global_max_pool,
    global_average_pool,
    max_unpool,
    dense,
    softmax,
    add,
    softmax_cross_entropy,
    mean_squared_error,
    sgd,
    adam,
    cross_correlation_input_gradient,
    cross_correlation_kernel_gradient,
    cross_correlation_bias_gradient,
    cross_correlation_residual_gradient,
    convolution_input_gradient,
    convolution_kernel_gradient,
    convolution_bias_gradient,
    convolution_residual_gradient,
    transposed_convolution_input_gradient,
    transposed_convolution_kernel_gradient,
    transposed_convolution_bias_gradient,
    transposed_convolution_residual_gradient,
    max_pool_input_gradient,
    average_pool_input_gradient,
    lp_pool_input_gradient,
    global_max_pool_input_gradient,
    global_average_pool_input_gradient,
    max_unpool_input_gradient,
    dense_input_gradient,
    dense_kernel_gradient,
    dense_bias_gradient,
    dense_residual_gradient,
    softmax_input_gradient,
    softmax_cross_entropy_input_gradient,
    mean_squared_error_input_gradient,
};

// Of which operand the loss's gradient is computed; none for what is computed forward.
enum class Gradient : std::uint8_t { none, input, kernel, bias, residual };

enum class PaddingMode : std::uint8_t { zeros, reflect, replicate, circular };
enum class Layout : std::uint8_t { nhwc, nchw };
enum class Type : std::uint8_t { f32, i32 };
enum class Algorithm : std::uint8_t { fast, exact };

// One fused step behind a sum, applied in the order given.
enum class Step : std::uint8_t {
    bias,
    residual,
    relu,
    relu6,
    leaky_relu,
    silu,
    gelu,
    sigmoid,
    tanh,
    hard_swish
};

// A pair over the two axes of a map; one number stands for both.
struct Size {
    int height = 1;
    int width = 1;

    constexpr Size() = default;
    constexpr Size(int both) : height(both), width(both) {}
    constexpr Size(int h, int w) : height(h), width(w) {}
    friend constexpr bool operator==(Size, Size) = default;
};

// Rows and columns added around a map. `same` is resolved against the input's size, see resolved_padding().
struct Padding {
    bool is_same = false;
    int top = 0, bottom = 0, left = 0, right = 0;

    constexpr Padding() = default;
    constexpr Padding(int all) : top(all), bottom(all), left(all), right(all) {}
    constexpr Padding(Size size)
        : top(size.height), bottom(size.height), left(size.width), right(size.width) {}
    constexpr Padding(int t, int b, int l, int r) : top(t), bottom(b), left(l), right(r) {}
    friend constexpr bool operator==(const Padding&, const Padding&) = default;
};

inline constexpr Padding same = [] {
    Padding padding;
    padding.is_same = true;
    return padding;
}();
inline constexpr Padding valid{};

// The batch of a problem whose batch is settled only by the call (`in=?x...`).
inline constexpr int open_batch = 0;

// A batch of maps, in this order whatever the layout in memory.
struct Shape {
    int batch = 1, height = 1, width = 1, channels = 1;

    friend constexpr bool operator==(const Shape&, const Shape&) = default;
};

struct Epilogue {
    static constexpr int max_steps = 3; // bias, residual and one activation, each at most once

    std::array<Step, max_steps> steps{};
    int count = 0;
    Decimal leaky_slope{10'000}; // the slope of leaky_relu below zero, 0.01 unless given

    constexpr bool has(Step step) const {
        for (int i = 0; i < count; ++i)
            if (steps[static_cast<std::size_t>(i)] == step)
                return true;
        return false;
    }
    constexpr Epilogue& add(Step step) {
        steps[static_cast<std::size_t>(count++)] = step;
        return *this;
    }
    friend constexpr bool operator==(const Epilogue&, const Epilogue&) = default;
};

struct Problem {
    Operator op = Operator::cross_correlation;
    Shape in;
    int out_channels = 0;
    Size kernel_size;
    Size stride;
    Size dilation;
    Padding padding;
    PaddingMode padding_mode = PaddingMode::zeros;
    Size output_padding{0};
    int groups = 1;
    Layout layout = Layout::nhwc;
    Type type = Type::f32;
    Algorithm algorithm = Algorithm::fast;
    Epilogue depthwise_epilogue;
    Epilogue epilogue;
    Size pool_kernel_size; // of a pooled cross-correlation
    Size pool_stride;
    Padding pool_padding;
    bool count_padding = false;
    bool ceil = false;
    Decimal power{2'000'000};
    bool indices = false;
    bool preactivation = false;

    friend constexpr bool operator==(const Problem&, const Problem&) = default;
};

} // namespace lamina
