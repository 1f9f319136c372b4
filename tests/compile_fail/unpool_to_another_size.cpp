// expect: unpooled_size_differs_from_the_max_pools_input
#include "lamina/dsl.hpp"

using namespace lamina;

constexpr auto net = network("net", Input{.height = 8, .width = 8, .channels = 4},
                             MaxPool{.name = "pool", .kernel_size = 2, .stride = 2, .indices = true},
                             MaxUnpool{.kernel_size = 3, .stride = 2, .indices_from = "pool"});
