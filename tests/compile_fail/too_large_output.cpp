// expect: operand_has_more_elements_than_the_index_range
#include "lamina/dsl.hpp"

using namespace lamina;

constexpr auto net =
    network("net", Input{.height = 8, .width = 8, .channels = 4}, Dense{.out_channels = 100000000});
