// expect: indices_have_another_shape_than_the_input
#include "lamina/dsl.hpp"

using namespace lamina;

constexpr auto net = network("net", Input{.height = 8, .width = 8, .channels = 4},
                             MaxPool{.name = "pool", .kernel_size = 2, .stride = 2, .indices = true},
                             CrossCorrelation{.out_channels = 2, .kernel_size = 1},
                             MaxUnpool{.kernel_size = 2, .stride = 2, .indices_from = "pool"});
