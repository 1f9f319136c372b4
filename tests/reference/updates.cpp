#include "tests/reference/operators.hpp"

#include <cmath>

namespace lamina::testing {

void reference_add(const Problem&, Tensors& tensors) {
    for (std::size_t i = 0; i < tensors.at("output").data.size(); ++i)
        tensors.at("output").data[i] = tensors.at("input").data[i] + tensors.at("residual").data[i];
}

void reference_sgd(const Problem&, Tensors& tensors) {
    const std::vector<double>& rates = tensors.at("rates").data;
    for (std::size_t i = 0; i < tensors.at("weights").data.size(); ++i) {
        const double weight = tensors.at("weights").data[i];
        const double gradient = tensors.at("gradient").data[i] + rates[2] * weight;
        const double velocity = rates[1] * tensors.at("velocity").data[i] + gradient;
        tensors.at("updated_velocity").data[i] = velocity;
        tensors.at("updated_weights").data[i] = weight - rates[0] * velocity;
    }
}

void reference_adam(const Problem&, Tensors& tensors) {
    const std::vector<double>& rates = tensors.at("rates").data;
    for (std::size_t i = 0; i < tensors.at("weights").data.size(); ++i) {
        const double weight = tensors.at("weights").data[i];
        const double gradient = tensors.at("gradient").data[i] + rates[5] * weight;
        const double first = rates[1] * tensors.at("first_moment").data[i] + (1 - rates[1]) * gradient;
        const double second =
            rates[2] * tensors.at("second_moment").data[i] + (1 - rates[2]) * gradient * gradient;
        tensors.at("updated_first_moment").data[i] = first;
        tensors.at("updated_second_moment").data[i] = second;
        tensors.at("updated_weights").data[i] =
            weight - rates[0] * first / (std::sqrt(second * rates[3]) + rates[4]);
    }
}

} // namespace lamina::testing
