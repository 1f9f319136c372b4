// The weights of the example's layers. Nothing is trained: a blur, and eight small patterns that are looked
// for.
#pragma once

#include "lamina/runtime.hpp"

#include <span>
#include <string_view>

namespace photo {

inline constexpr int filter_size = 5;

// How a filter turned by half a turn compares with itself, which is what true convolution looks for.
enum class HalfTurn { negated, same, different };

struct Filter {
    std::string_view name;
    HalfTurn half_turn;
    float taps[filter_size * filter_size]; // row by row; the positive ones sum to 1, all of them to 0
};

std::span<const Filter> filters();

// The 7 x 7 binomial blur of each channel by itself, {7, 7, 1, 3}.
lamina::Tensor<float> smoothing_kernel();

// Every filter on the luma of the three channels, {5, 5, 3, filters}.
lamina::Tensor<float> edge_kernel();

} // namespace photo
