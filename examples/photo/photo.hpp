// What the example computes: one stack of layers, once with cross-correlation and once with true convolution
// in its middle. The build compiles every layer from here, and the app asks here for shapes and receptive
// fields.
#pragma once

#include "lamina/network.hpp"

namespace photo {

inline constexpr lamina::Input input{.height = 600, .width = 512, .channels = 3};
inline constexpr int filter_count = 8;

// `Edges` is lamina::CrossCorrelation or lamina::Convolution; they take the same fields and the same kernel.
template <class Edges>
consteval auto stack(std::string_view name) {
    return lamina::network(name, input,
                           lamina::CrossCorrelation{.name = "smoothed",
                                                    .out_channels = 3,
                                                    .kernel_size = 7,
                                                    .padding = lamina::same,
                                                    .padding_mode = lamina::PaddingMode::replicate,
                                                    .groups = 3,
                                                    .bias = false},
                           Edges{.name = "edges",
                                 .out_channels = filter_count,
                                 .kernel_size = 5,
                                 .padding = lamina::same,
                                 .padding_mode = lamina::PaddingMode::replicate,
                                 .bias = false,
                                 .activation = lamina::relu},
                           lamina::MaxPool{.name = "pooled", .kernel_size = 4, .stride = 4});
}

inline constexpr auto correlated = stack<lamina::CrossCorrelation>("correlated");
inline constexpr auto convolved = stack<lamina::Convolution>("convolved");

static_assert(correlated.output() == lamina::Shape{1, 150, 128, filter_count});
static_assert(convolved.output() == correlated.output());
static_assert(correlated.layer("smoothed").receptive_field == 7);
static_assert(correlated.layer("edges").receptive_field == 11);
static_assert(correlated.receptive_field() == 14);

} // namespace photo
