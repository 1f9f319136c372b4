// expect: residual_has_another_shape_than_the_output
#include "lamina/dsl.hpp"

using namespace lamina;

constexpr auto net = network("net", Input{.height = 8, .width = 8, .channels = 4},
                             CrossCorrelation{.out_channels = 4, .kernel_size = 3, .residual = "input"});
