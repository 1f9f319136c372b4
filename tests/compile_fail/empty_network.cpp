// expect: network_has_no_layers
#include "lamina/dsl.hpp"

using namespace lamina;

constexpr auto net = network("net", Input{.height = 8, .width = 8, .channels = 4});
