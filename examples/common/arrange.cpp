#include "arrange.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace pictures {
namespace {

constexpr int gap = 6; // pixels between the pictures of a grid

// Grey or coloured, as three channels.
std::array<float, 3> colour(const Image& image, int y, int x) {
    const float* values = pixel(image, y, x);
    return image.channels == 1 ? std::array{values[0], values[0], values[0]}
                               : std::array{values[0], values[1], values[2]};
}

// Resizes along the rows and transposes, so that doing it twice resizes both ways.
Image resized_transposed(const Image& image, int width) {
    Image result = blank(width, image.height, image.channels, 0);
    const double scale = static_cast<double>(image.width) / width, reach = std::max(scale, 1.0);
    for (int x = 0; x < width; ++x) {
        const double centre = (x + 0.5) * scale - 0.5;
        const int first = std::max(0, static_cast<int>(std::ceil(centre - reach)));
        const int last = std::min(image.width - 1, static_cast<int>(std::floor(centre + reach)));
        double total = 0;
        for (int from = first; from <= last; ++from)
            total += 1 - std::abs(from - centre) / reach;
        for (int from = first; from <= last; ++from) {
            const auto weight = static_cast<float>((1 - std::abs(from - centre) / reach) / total);
            for (int y = 0; y < image.height; ++y)
                for (int c = 0; c < image.channels; ++c)
                    pixel(result, x, y)[c] += weight * pixel(image, y, from)[c];
        }
    }
    return result;
}

} // namespace

Image blank(int height, int width, int channels, float value) {
    const auto count = static_cast<std::size_t>(height) * static_cast<std::size_t>(width) *
                       static_cast<std::size_t>(channels);
    return {height, width, channels, std::vector<float>(count, value)};
}

Image cropped(const Image& image, const Rectangle& part) {
    Image result = blank(part.height, part.width, image.channels, 0);
    for (int y = 0; y < part.height; ++y)
        std::copy_n(pixel(image, part.top + y, part.left), part.width * image.channels, pixel(result, y, 0));
    return result;
}

Image resized(const Image& image, int height, int width) {
    return resized_transposed(resized_transposed(image, width), height);
}

Image magnified(const Image& image, int factor) {
    Image result = blank(image.height * factor, image.width * factor, image.channels, 0);
    for (int y = 0; y < result.height; ++y)
        for (int x = 0; x < result.width; ++x)
            std::copy_n(pixel(image, y / factor, x / factor), image.channels, pixel(result, y, x));
    return result;
}

Image fitted(const Image& image, int height, int width) {
    const double scale =
        std::min(static_cast<double>(image.height) / height, static_cast<double>(image.width) / width);
    Rectangle middle;
    middle.height = std::clamp(static_cast<int>(std::lround(height * scale)), 1, image.height);
    middle.width = std::clamp(static_cast<int>(std::lround(width * scale)), 1, image.width);
    middle.top = (image.height - middle.height) / 2;
    middle.left = (image.width - middle.width) / 2;
    return resized(cropped(image, middle), height, width);
}

Image grid(std::span<const Image> pictures, int columns) {
    const int height = pictures[0].height + gap, width = pictures[0].width + gap;
    const int rows = (static_cast<int>(pictures.size()) + columns - 1) / columns;
    Image result = blank(rows * height - gap, columns * width - gap, 3, 1);
    for (int i = 0; i < static_cast<int>(pictures.size()); ++i) {
        const Image& picture = pictures[static_cast<std::size_t>(i)];
        for (int y = 0; y < picture.height; ++y)
            for (int x = 0; x < picture.width; ++x)
                std::ranges::copy(colour(picture, y, x),
                                  pixel(result, i / columns * height + y, i % columns * width + x));
    }
    return result;
}

} // namespace pictures
