// Pictures fitted, enlarged and laid side by side.
#pragma once

#include "image.hpp"

#include <cstddef>
#include <span>

namespace pictures {

struct Rectangle {
    int top = 0, left = 0, height = 0, width = 0;
};

// Every value of it is `value`.
Image blank(int height, int width, int channels, float value);

// The first channel there; AnImage is Image or const Image.
template <class AnImage>
auto* pixel(AnImage& image, int y, int x) {
    return image.pixels.data() + (static_cast<std::ptrdiff_t>(y) * image.width + x) * image.channels;
}

Image cropped(const Image& image, const Rectangle& part);

// Each new pixel is the mean of the old ones around it, weighted by a triangle: bilinear where the picture
// grows, without flicker where it shrinks.
Image resized(const Image& image, int height, int width);

// Each pixel `factor` times in both directions.
Image magnified(const Image& image, int factor);

// The largest part in the middle that has these proportions, resized to them.
Image fitted(const Image& image, int height, int width);

// Pictures of one size in rows of `columns`, with white gaps.
Image grid(std::span<const Image> pictures, int columns);

} // namespace pictures
