// expect: kernel_is_larger_than_the_padded_input
#include "lamina/dsl.hpp"

using namespace lamina;

constexpr auto net = network("net", Input{.height = 8, .width = 8, .channels = 4},
                             CrossCorrelation{.out_channels = 4, .kernel_size = 3, .padding = same},
                             MaxPool{.kernel_size = 9});
