// Images as other hands might have written them.
#pragma once

#include "dataset.hpp"
#include "random.hpp"

namespace digits {

// The image turned, slanted, resized and moved a little, each by chance; from 0 to 1.
void distort(Pixels image, Random& random, std::span<float, pixel_count> result);

} // namespace digits
