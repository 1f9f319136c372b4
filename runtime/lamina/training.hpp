// What the generated functions of a network take beside tensors: rules by which weights are updated, and the
// memory that they work in.
#pragma once

#include "lamina/status.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <span>

namespace lamina {

// Stochastic gradient descent: v = momentum * v + (g + weight_decay * w), w = w - learning_rate * v.
struct Sgd {
    float learning_rate = 0.01f, momentum = 0, weight_decay = 0;

    // As the operator takes them.
    std::array<float, 3> rates() const { return {learning_rate, momentum, weight_decay}; }
};

// Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015. The weight decay is added to the gradient.
struct Adam {
    std::int64_t step = 1; // of this update, counted from 1
    float learning_rate = 0.001f, beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f, weight_decay = 0;

    // As the operator takes them: the moments, which begin at zero, are corrected for that.
    std::array<float, 6> rates() const {
        const double first = 1 - std::pow(double{beta1}, static_cast<double>(step)),
                     second = 1 - std::pow(double{beta2}, static_cast<double>(step));
        return {static_cast<float>(double{learning_rate} / first),
                beta1,
                beta2,
                static_cast<float>(1 / second),
                epsilon,
                weight_decay};
    }
};

namespace detail {

// Memory that the caller lends to a function.
struct Lent {
    std::string_view name, unit;
    std::size_t given = 0;
    std::int64_t needed = 0;
};

// LAMINA_BAD_SHAPE and the first that is too small, as "digits::infer: arena: expected 1024 bytes, got 12".
Status check_memory(std::string_view function, std::initializer_list<Lent> memory);

// The mean of a loss over all positions, summed in their order.
inline float mean(std::span<const float> values) {
    double sum = 0;
    for (const float value : values)
        sum += static_cast<double>(value);
    return static_cast<float>(sum / static_cast<double>(values.size()));
}

} // namespace detail

} // namespace lamina
