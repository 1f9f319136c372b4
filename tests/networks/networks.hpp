// Networks whose generated functions network_driver_test.cpp runs: between them, every way in which layers
// read one another.
#pragma once

#include "lamina/network.hpp"

namespace networks {

using namespace lamina;

// Two readers of one map, residuals before and without an activation, layers with one problem, indices, an
// activation whose slope takes its argument.
inline constexpr auto branches = network(
    "branches", Input{.batch = 3, .height = 10, .width = 8, .channels = 3},
    CrossCorrelation{
        .name = "stem", .out_channels = 8, .kernel_size = 3, .padding = same, .activation = silu},
    CrossCorrelation{
        .name = "first", .out_channels = 8, .kernel_size = 3, .padding = same, .activation = relu},
    CrossCorrelation{
        .name = "second", .out_channels = 8, .kernel_size = 3, .padding = same, .activation = relu},
    CrossCorrelation{.name = "joined",
                     .out_channels = 8,
                     .kernel_size = 3,
                     .padding = same,
                     .residual = "stem",
                     .activation = relu},
    MaxPool{.name = "pool", .kernel_size = 2, .stride = 2, .indices = true},
    CrossCorrelation{.name = "deep", .out_channels = 8, .kernel_size = 1, .bias = false, .residual = "pool"},
    MaxUnpool{.name = "unpool", .kernel_size = 2, .stride = 2, .indices_from = "pool"},
    Convolution{.name = "mixed",
                .out_channels = 6,
                .kernel_size = 3,
                .stride = 2,
                .padding = 1,
                .activation = leaky_relu(0.25)},
    AveragePool{.name = "average", .kernel_size = 2, .stride = 1},
    Dense{.name = "hidden", .out_channels = 12, .activation = tanh},
    Dense{.name = "scores", .out_channels = 5});

// The batch is left to the call; a map is regressed.
inline constexpr auto painter = network(
    "painter", Input{.batch = open_batch, .height = 6, .width = 7, .channels = 2},
    MaxPool{.name = "first_pool", .kernel_size = 2, .stride = 1},
    CrossCorrelation{.name = "narrow",
                     .out_channels = 4,
                     .kernel_size = 3,
                     .stride = 2,
                     .padding = 1,
                     .activation = sigmoid},
    LpPool{.name = "energy", .kernel_size = 2, .stride = 1},
    TransposedConvolution{
        .name = "wide", .out_channels = 3, .kernel_size = 4, .stride = 2, .padding = 1, .activation = gelu},
    CrossCorrelation{.name = "last", .out_channels = 2, .kernel_size = 1});

// Channels outside, groups, padding by reflection, a global pool, probabilities as the output.
inline constexpr auto planes = network(
    "planes", Input{.batch = 2, .height = 8, .width = 7, .channels = 4, .layout = Layout::nchw},
    CrossCorrelation{.name = "each",
                     .out_channels = 4,
                     .kernel_size = 3,
                     .padding = 1,
                     .groups = 4,
                     .activation = hard_swish},
    CrossCorrelation{.name = "down",
                     .out_channels = 8,
                     .kernel_size = 3,
                     .stride = 2,
                     .padding = 1,
                     .padding_mode = PaddingMode::reflect,
                     .activation = relu6},
    GlobalMaxPool{.name = "peak"}, Dense{.name = "scores", .out_channels = 6}, Softmax{.name = "classes"});

// Inference alone: layers that are two in one have no gradients.
inline constexpr auto mobile = network("mobile", Input{.batch = 2, .height = 9, .width = 7, .channels = 8},
                                       PooledCrossCorrelation{.name = "stem",
                                                              .out_channels = 8,
                                                              .kernel_size = 3,
                                                              .padding = same,
                                                              .activation = relu,
                                                              .pool_kernel_size = 3,
                                                              .pool_stride = 1,
                                                              .pool_padding = 1},
                                       SeparableConvolution{.name = "first",
                                                            .out_channels = 12,
                                                            .kernel_size = 3,
                                                            .stride = 2,
                                                            .padding = same,
                                                            .depthwise_activation = relu6},
                                       SeparableConvolution{.name = "second",
                                                            .out_channels = 12,
                                                            .kernel_size = 3,
                                                            .padding = 1,
                                                            .padding_mode = PaddingMode::reflect,
                                                            .depthwise_bias = false,
                                                            .residual = "first",
                                                            .activation = relu});

} // namespace networks
