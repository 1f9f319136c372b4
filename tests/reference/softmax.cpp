#include "tests/reference/operators.hpp"

#include <algorithm>
#include <cmath>

namespace lamina::testing {

void reference_softmax(const Problem& p, Tensors& tensors) {
    const MapView<const TestTensor> input(tensors.at("input"), p.layout);
    const MapView<TestTensor> output(tensors.at("output"), p.layout);
    for_each_element(output, [&](int n, int i, int j, int c) {
        double largest = input(n, i, j, 0), total = 0;
        for (int k = 0; k < p.in.channels; ++k)
            largest = std::max(largest, input(n, i, j, k));
        for (int k = 0; k < p.in.channels; ++k)
            total += std::exp(input(n, i, j, k) - largest);
        output(n, i, j, c) = std::exp(input(n, i, j, c) - largest) / total;
    });
}

} // namespace lamina::testing
