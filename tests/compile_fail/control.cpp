// expect: success
#include "lamina/dsl.hpp"

using namespace lamina;

constexpr auto net =
    network("net", Input{.height = 8, .width = 8, .channels = 4},
            CrossCorrelation{.name = "first", .out_channels = 4, .kernel_size = 3, .padding = same},
            CrossCorrelation{.out_channels = 4,
                             .kernel_size = 3,
                             .padding = same,
                             .residual = "first",
                             .activation = leaky_relu(0.2)},
            MaxPool{.kernel_size = 2, .stride = 2});
