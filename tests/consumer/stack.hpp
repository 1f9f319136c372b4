#pragma once

#include <lamina/dsl.hpp>

inline constexpr auto small_stack = lamina::network(
    "stack", lamina::Input{.height = 6, .width = 8, .channels = 3},
    lamina::CrossCorrelation{.name = "mix", .out_channels = 4, .kernel_size = 1, .activation = lamina::relu},
    lamina::MaxPool{.name = "shrink", .kernel_size = 2, .stride = 2});
static_assert(small_stack.output() == lamina::Shape{1, 3, 4, 4});
