// expect: network_has_no_layer_of_that_name
#include "lamina/dsl.hpp"

using namespace lamina;

constexpr auto net = network("net", Input{.height = 8, .width = 8, .channels = 4},
                             CrossCorrelation{.out_channels = 4, .kernel_size = 3, .padding = same});
constexpr Shape output = net.layer("conv").output();
