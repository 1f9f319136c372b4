// Runs the compiled layers one after another and times each.
#pragma once

#include "lamina/runtime.hpp"

#include <array>

namespace photo {

// What the layers see, and the median time of one call of each in seconds. The maps mean nothing where the
// status is not true.
struct StackResult {
    lamina::Status status;
    lamina::Tensor<float> smoothed, edges, pooled;
    std::array<double, 3> seconds{};
};

StackResult run_correlated(lamina::View<const float> picture, int threads);
StackResult run_convolved(lamina::View<const float> picture, int threads);

} // namespace photo
