// Two networks whose training steps are timed.
#pragma once

#include "lamina/network.hpp"

namespace training {

using namespace lamina;

inline constexpr auto small_vgg = network(
    "small_vgg", Input{.batch = 32, .height = 32, .width = 32, .channels = 3},
    CrossCorrelation{
        .name = "conv1", .out_channels = 64, .kernel_size = 3, .padding = same, .activation = relu},
    CrossCorrelation{
        .name = "conv2", .out_channels = 64, .kernel_size = 3, .padding = same, .activation = relu},
    MaxPool{.name = "pool1", .kernel_size = 2, .stride = 2},
    CrossCorrelation{
        .name = "conv3", .out_channels = 128, .kernel_size = 3, .padding = same, .activation = relu},
    CrossCorrelation{
        .name = "conv4", .out_channels = 128, .kernel_size = 3, .padding = same, .activation = relu},
    MaxPool{.name = "pool2", .kernel_size = 2, .stride = 2},
    CrossCorrelation{
        .name = "conv5", .out_channels = 256, .kernel_size = 3, .padding = same, .activation = relu},
    CrossCorrelation{
        .name = "conv6", .out_channels = 256, .kernel_size = 3, .padding = same, .activation = relu},
    MaxPool{.name = "pool3", .kernel_size = 2, .stride = 2}, Dense{.name = "scores", .out_channels = 10});

inline constexpr auto lenet =
    network("lenet", Input{.batch = 32, .height = 28, .width = 28, .channels = 1},
            CrossCorrelation{
                .name = "conv1", .out_channels = 16, .kernel_size = 5, .padding = same, .activation = relu},
            MaxPool{.name = "pool1", .kernel_size = 2, .stride = 2},
            CrossCorrelation{
                .name = "conv2", .out_channels = 32, .kernel_size = 5, .padding = same, .activation = relu},
            MaxPool{.name = "pool2", .kernel_size = 2, .stride = 2},
            Dense{.name = "hidden", .out_channels = 128, .activation = relu},
            Dense{.name = "scores", .out_channels = 10});

} // namespace training
