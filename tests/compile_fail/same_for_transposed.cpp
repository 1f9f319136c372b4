// expect: padding_same_is_not_defined_for_this_operator
#include "lamina/dsl.hpp"

using namespace lamina;

constexpr auto net = network("net", Input{.height = 8, .width = 8, .channels = 4},
                             TransposedConvolution{.out_channels = 4, .kernel_size = 2, .padding = same});
