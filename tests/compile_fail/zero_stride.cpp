// expect: stride_must_be_positive
#include "lamina/dsl.hpp"

using namespace lamina;

constexpr auto net =
    network("net", Input{.height = 8, .width = 8, .channels = 4}, MaxPool{.kernel_size = 2, .stride = 0});
