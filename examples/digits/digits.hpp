// The example's network: LeCun's LeNet with 16 and 32 kernels, trained in batches and used in any number.
#pragma once

#include "lamina/network.hpp"

namespace digits {

inline constexpr int side = 28; // of an image, in pixels
inline constexpr int class_count = 10;
inline constexpr int training_batch = 32;

// The same weights fit for every batch: they go by the layers' names and shapes.
consteval auto lenet(int batch) {
    return lamina::network(
        "lenet", lamina::Input{.batch = batch, .height = side, .width = side, .channels = 1},
        lamina::CrossCorrelation{
            .name = "conv1", .out_channels = 16, .kernel_size = 5, .activation = lamina::relu},
        lamina::MaxPool{.name = "pool1", .kernel_size = 2, .stride = 2},
        lamina::CrossCorrelation{
            .name = "conv2", .out_channels = 32, .kernel_size = 5, .activation = lamina::relu},
        lamina::MaxPool{.name = "pool2", .kernel_size = 2, .stride = 2},
        lamina::Dense{.name = "hidden", .out_channels = 128, .activation = lamina::relu},
        lamina::Dense{.name = "scores", .out_channels = class_count});
}

inline constexpr auto training = lenet(training_batch);
inline constexpr auto inference = lenet(lamina::open_batch);

static_assert(training.output() == lamina::Shape{training_batch, 1, 1, class_count});
static_assert(training.layer("conv1").receptive_field == 5);
static_assert(training.parameter_count() == inference.parameter_count());

} // namespace digits
