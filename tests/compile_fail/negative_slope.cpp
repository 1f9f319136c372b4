// expect: leaky_relu_slope_must_not_be_negative
#include "lamina/dsl.hpp"

using namespace lamina;

constexpr auto net = network(
    "net", Input{.height = 8, .width = 8, .channels = 4},
    CrossCorrelation{.out_channels = 4, .kernel_size = 3, .padding = same, .activation = leaky_relu(-0.1)});
