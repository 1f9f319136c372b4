// expect: pool_padding_must_be_smaller_than_the_window
#include "lamina/dsl.hpp"

using namespace lamina;

constexpr auto net =
    network("net", Input{.height = 8, .width = 8, .channels = 4}, MaxPool{.kernel_size = 2, .padding = 2});
