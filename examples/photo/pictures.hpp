// Pictures of maps: fitted, coloured and laid side by side.
#pragma once

#include "image.hpp"

#include "lamina/view.hpp"

#include <span>

namespace photo {

using Map = lamina::View<const float>; // {1, height, width, channels}

struct Rectangle {
    int top = 0, left = 0, height = 0, width = 0;
};

Image cropped(const Image& image, const Rectangle& part);

// Each new pixel is the mean of the old ones around it, weighted by a triangle: bilinear where the picture
// grows, without flicker where it shrinks.
Image resized(const Image& image, int height, int width);

// Each pixel `factor` times in both directions.
Image magnified(const Image& image, int factor);

// The largest part in the middle that has these proportions, resized to them.
Image fitted(const Image& image, int height, int width);

// A map of three channels from 0 to 1.
Image colours(Map map);

// Channel `c`, without values below 0, in grey: the square root, which brings out what is weak; the brightest
// hundredth is white.
Image channel(Map map, int c);

// The first four channels, each in a hue of its own.
Image hues(Map map);

// Channel `c` of both: red where `a` is larger, blue where `b` is, white where they are equal.
Image signed_difference(Map a, Map b, int c);

// Pictures of one size in rows of `columns`, with white gaps.
Image grid(std::span<const Image> pictures, int columns);

} // namespace photo
