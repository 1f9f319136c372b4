// expect: name_is_used_twice
#include "lamina/dsl.hpp"

using namespace lamina;

constexpr auto net =
    network("net", Input{.height = 8, .width = 8, .channels = 4},
            CrossCorrelation{.name = "input", .out_channels = 4, .kernel_size = 3, .padding = same});
