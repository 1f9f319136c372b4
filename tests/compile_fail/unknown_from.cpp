// expect: from_names_no_earlier_layer
#include "lamina/dsl.hpp"

using namespace lamina;

constexpr auto net =
    network("net", Input{.height = 8, .width = 8, .channels = 4},
            CrossCorrelation{.out_channels = 4, .kernel_size = 3, .padding = same},
            CrossCorrelation{.from = "frist", .out_channels = 4, .kernel_size = 3, .padding = same});
