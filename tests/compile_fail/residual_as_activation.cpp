// expect: step_is_not_an_activation
#include "lamina/dsl.hpp"

using namespace lamina;

constexpr auto net = network(
    "net", Input{.height = 8, .width = 8, .channels = 4},
    CrossCorrelation{.out_channels = 4, .kernel_size = 3, .padding = same, .activation = Step::residual});
