#include "tests/reference/operators.hpp"

#include <algorithm>
#include <cmath>

namespace lamina::testing {

namespace {

using Map = MapView<const TestTensor>;

int label_at(const Tensors& tensors, const Problem& p, int n, int i, int j) {
    const Map labels(tensors.at("labels"), p.layout);
    return static_cast<int>(std::clamp(labels(n, i, j, 0), 0.0, p.in.channels - 1.0));
}

// The logarithm of the sum of the exponentials of a position's channels.
double log_of_exponentials(const Map& input, int n, int i, int j) {
    double largest = input(n, i, j, 0), total = 0;
    for (int c = 0; c < input.channels(); ++c)
        largest = std::max(largest, input(n, i, j, c));
    for (int c = 0; c < input.channels(); ++c)
        total += std::exp(input(n, i, j, c) - largest);
    return largest + std::log(total);
}

} // namespace

void reference_softmax_cross_entropy(const Problem& p, Tensors& tensors) {
    const Map input(tensors.at("input"), p.layout);
    const MapView<TestTensor> output(tensors.at("output"), p.layout);
    for_each_element(output, [&](int n, int i, int j, int) {
        output(n, i, j, 0) =
            log_of_exponentials(input, n, i, j) - input(n, i, j, label_at(tensors, p, n, i, j));
    });
}

void reference_softmax_cross_entropy_gradient(const Problem& p, Tensors& tensors) {
    const Map input(tensors.at("input"), p.layout), given(tensors.at("output_gradient"), p.layout);
    const MapView<TestTensor> result(tensors.at("input_gradient"), p.layout);
    for_each_element(result, [&](int n, int i, int j, int c) {
        const double probability = std::exp(input(n, i, j, c) - log_of_exponentials(input, n, i, j));
        const double wanted = c == label_at(tensors, p, n, i, j) ? 1 : 0;
        result(n, i, j, c) = (probability - wanted) * given(n, i, j, 0);
    });
}

void reference_mean_squared_error(const Problem& p, Tensors& tensors) {
    const Map input(tensors.at("input"), p.layout), target(tensors.at("target"), p.layout);
    const MapView<TestTensor> output(tensors.at("output"), p.layout);
    for_each_element(input, [&](int n, int i, int j, int c) {
        const double error = input(n, i, j, c) - target(n, i, j, c);
        output(n, i, j, 0) += error * error / p.in.channels;
    });
}

void reference_mean_squared_error_gradient(const Problem& p, Tensors& tensors) {
    const Map input(tensors.at("input"), p.layout), target(tensors.at("target"), p.layout),
        given(tensors.at("output_gradient"), p.layout);
    const MapView<TestTensor> result(tensors.at("input_gradient"), p.layout);
    for_each_element(result, [&](int n, int i, int j, int c) {
        result(n, i, j, c) = 2 * (input(n, i, j, c) - target(n, i, j, c)) / p.in.channels * given(n, i, j, 0);
    });
}

} // namespace lamina::testing
