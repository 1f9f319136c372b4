// Pictures as MNIST's images.
#pragma once

#include "dataset.hpp"

#include "common/image.hpp"

#include <array>

namespace digits {

// A picture of one digit, of any size and colours, on a paper lighter or darker than it. A picture of 28 x 28
// pixels is taken as it is; of others, the digit is made 20 pixels long and its centre of mass laid into the
// middle, as MNIST's were.
std::array<std::uint8_t, pixel_count> digit_pixels(const pictures::Image& picture);

} // namespace digits
