// expect: receptive_field_is_beyond_the_index_range
#include "lamina/dsl.hpp"

using namespace lamina;

constexpr auto net =
    network("net", Input{.height = 8, .width = 8, .channels = 4}, MaxPool{.kernel_size = 1, .stride = 100000},
            MaxPool{.kernel_size = 1, .stride = 100000});
