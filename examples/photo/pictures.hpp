// Pictures of maps.
#pragma once

#include "common/arrange.hpp"
#include "lamina/view.hpp"

namespace photo {

using pictures::Image;
using Map = lamina::View<const float>; // {1, height, width, channels}

// A map of three channels from 0 to 1.
Image colours(Map map);

// Channel `c`, without values below 0, in grey: the square root, which brings out what is weak; the brightest
// hundredth is white.
Image channel(Map map, int c);

// The first four channels, each in a hue of its own.
Image hues(Map map);

// Channel `c` of both: red where `a` is larger, blue where `b` is, white where they are equal.
Image signed_difference(Map a, Map b, int c);

} // namespace photo
