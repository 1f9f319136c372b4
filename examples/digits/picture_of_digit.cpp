#include "picture_of_digit.hpp"

#include "common/arrange.hpp"

#include <algorithm>
#include <cmath>

namespace digits {
namespace {

using pictures::Image;
using pictures::pixel;

constexpr int digit_size = 20;
constexpr float faintest_ink = 0.25F; // what is fainter may be a shadow on the paper

// Brightness from 0 to 1.
Image grey(const Image& picture) {
    Image result = pictures::blank(picture.height, picture.width, 1, 0);
    for (int y = 0; y < picture.height; ++y)
        for (int x = 0; x < picture.width; ++x) {
            const float* rgb = pixel(picture, y, x);
            *pixel(result, y, x) = 0.2126F * rgb[0] + 0.7152F * rgb[1] + 0.0722F * rgb[2]; // of Rec. 709
        }
    return result;
}

float mean_of_border(const Image& image) {
    double sum = 0;
    int count = 0;
    for (int y = 0; y < image.height; ++y)
        for (int x = 0; x < image.width; ++x)
            if (y == 0 || x == 0 || y == image.height - 1 || x == image.width - 1) {
                sum += static_cast<double>(*pixel(image, y, x));
                ++count;
            }
    return static_cast<float>(sum / count);
}

// Ink bright on dark paper, from the paper's 0 to the strongest ink's 1.
void make_ink(Image& image) {
    const float paper = mean_of_border(image);
    float strongest = 0;
    for (float& value : image.pixels) {
        value = paper > 0.5F ? paper - value : value - paper;
        strongest = std::max(strongest, value);
    }
    for (float& value : image.pixels)
        value = strongest > 0 ? std::max(value / strongest, 0.0F) : 0;
}

// The smallest part that has all ink; nothing where there is none.
pictures::Rectangle inked_part(const Image& image) {
    int top = image.height, left = image.width, bottom = 0, right = 0;
    for (int y = 0; y < image.height; ++y)
        for (int x = 0; x < image.width; ++x)
            if (*pixel(image, y, x) > faintest_ink) {
                top = std::min(top, y);
                left = std::min(left, x);
                bottom = std::max(bottom, y + 1);
                right = std::max(right, x + 1);
            }
    return bottom > 0 ? pictures::Rectangle{top, left, bottom - top, right - left} : pictures::Rectangle{};
}

// Where the left or upper edge of a digit lies whose mass is `mass` behind it.
int edge(double mass, int size) {
    return std::clamp(static_cast<int>(std::lround((side - 1) / 2.0 - mass)), 0, side - size);
}

Image centred(const Image& digit) {
    double mass = 0, mass_y = 0, mass_x = 0;
    for (int y = 0; y < digit.height; ++y)
        for (int x = 0; x < digit.width; ++x) {
            const auto ink = static_cast<double>(*pixel(digit, y, x));
            mass += ink;
            mass_y += ink * y;
            mass_x += ink * x;
        }
    Image result = pictures::blank(side, side, 1, 0);
    const int top = edge(mass_y / mass, digit.height), left = edge(mass_x / mass, digit.width);
    for (int y = 0; y < digit.height; ++y)
        std::copy_n(pixel(digit, y, 0), digit.width, pixel(result, top + y, left));
    return result;
}

Image as_in_mnist(const Image& image) {
    const pictures::Rectangle part = inked_part(image);
    if (part.height == 0)
        return pictures::blank(side, side, 1, 0);
    const double scale = static_cast<double>(digit_size) / std::max(part.height, part.width);
    const auto scaled = [&](int size) { return std::max(1, static_cast<int>(std::lround(size * scale))); };
    return centred(resized(cropped(image, part), scaled(part.height), scaled(part.width)));
}

} // namespace

std::array<std::uint8_t, pixel_count> digit_pixels(const Image& picture) {
    Image image = grey(picture);
    make_ink(image);
    if (image.height != side || image.width != side)
        image = as_in_mnist(image);
    std::array<std::uint8_t, pixel_count> pixels{};
    std::ranges::transform(image.pixels, pixels.begin(),
                           [](float ink) { return static_cast<std::uint8_t>(std::lround(ink * 255)); });
    return pixels;
}

} // namespace digits
