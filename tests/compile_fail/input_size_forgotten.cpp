// expect: input_height_width_and_channels_must_be_positive
#include "lamina/dsl.hpp"

using namespace lamina;

constexpr auto net = network("net", Input{.height = 8, .channels = 4},
                             CrossCorrelation{.out_channels = 4, .kernel_size = 3, .padding = same});
