// expect: name_is_longer_than_40_characters
#include "lamina/dsl.hpp"

using namespace lamina;

constexpr auto net = network("net", Input{.height = 8, .width = 8, .channels = 4},
                             CrossCorrelation{.name = "a_name_of_one_character_more_than_allowed",
                                              .out_channels = 4,
                                              .kernel_size = 3,
                                              .padding = same});
