// expect: output_is_read_by_no_later_layer
#include "lamina/dsl.hpp"

using namespace lamina;

constexpr auto net =
    network("net", Input{.height = 8, .width = 8, .channels = 4},
            CrossCorrelation{.name = "first", .out_channels = 4, .kernel_size = 3, .padding = same},
            CrossCorrelation{.name = "forgotten", .out_channels = 4, .kernel_size = 3, .padding = same},
            CrossCorrelation{.from = "first", .out_channels = 4, .kernel_size = 3, .padding = same});
