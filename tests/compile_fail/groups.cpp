// expect: groups_must_divide_the_input_channels
#include "lamina/dsl.hpp"

using namespace lamina;

constexpr auto net = network("net", Input{.height = 8, .width = 8, .channels = 4},
                             CrossCorrelation{.out_channels = 6, .kernel_size = 3, .groups = 3});
