// expect: number_must_be_below_a_billion_with_at_most_six_decimals
#include "lamina/dsl.hpp"

using namespace lamina;

constexpr auto net =
    network("net", Input{.height = 8, .width = 8, .channels = 4},
            CrossCorrelation{
                .out_channels = 4, .kernel_size = 3, .padding = same, .activation = leaky_relu(0.1234567)});
