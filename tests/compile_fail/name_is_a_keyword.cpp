// expect: name_is_not_a_c_identifier
#include "lamina/dsl.hpp"

using namespace lamina;

constexpr auto net =
    network("net", Input{.height = 8, .width = 8, .channels = 4},
            CrossCorrelation{.name = "register", .out_channels = 4, .kernel_size = 3, .padding = same});
