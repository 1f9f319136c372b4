#include "tests/reference/operators.hpp"

#include <algorithm>
#include <cmath>

namespace lamina::testing {

namespace {

double sigmoid(double x) {
    return 1 / (1 + std::exp(-x));
}

double activated(Step step, double slope, double x) {
    switch (step) {
    case Step::relu:
        return std::max(x, 0.0);
    case Step::relu6:
        return std::min(std::max(x, 0.0), 6.0);
    case Step::leaky_relu:
        return x < 0 ? slope * x : x;
    case Step::silu:
        return x * sigmoid(x);
    case Step::gelu:
        return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
    case Step::sigmoid:
        return sigmoid(x);
    case Step::tanh:
        return std::tanh(x);
    case Step::hard_swish:
        return x <= -3 ? 0 : x >= 3 ? x : x * (x + 3) / 6;
    case Step::bias:
    case Step::residual:
        break;
    }
    return x;
}

} // namespace

void reference_epilogue(const Problem& p, Tensors& tensors) {
    const MapView<TestTensor> output(tensors.at("output"), p.layout);
    for (int s = 0; s < p.epilogue.count; ++s) {
        const Step step = p.epilogue.steps[static_cast<std::size_t>(s)];
        if (p.preactivation && is_activation(step))
            tensors.at("preactivation") = tensors.at("output");
        for_each_element(output, [&](int n, int i, int j, int d) {
            double& value = output(n, i, j, d);
            if (step == Step::bias)
                value += tensors.at("bias").data.at(static_cast<std::size_t>(d));
            else if (step == Step::residual)
                value += MapView<const TestTensor>(tensors.at("residual"), p.layout)(n, i, j, d);
            else
                value = activated(step, p.epilogue.leaky_slope.value(), value);
        });
    }
}

} // namespace lamina::testing
