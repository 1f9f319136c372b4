// expect: indices_from_names_no_earlier_max_pool_with_indices
#include "lamina/dsl.hpp"

using namespace lamina;

constexpr auto net = network("net", Input{.height = 8, .width = 8, .channels = 4},
                             MaxPool{.name = "pool", .kernel_size = 2, .stride = 2},
                             MaxUnpool{.kernel_size = 2, .stride = 2, .indices_from = "pool"});
