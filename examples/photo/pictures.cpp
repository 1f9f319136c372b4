#include "pictures.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace photo {
namespace {

// The value that only a hundredth of the channel's values exceed.
float bright_value(Map map, int c) {
    std::vector<float> values;
    for (std::int64_t y = 0; y < map.shape()[1]; ++y)
        for (std::int64_t x = 0; x < map.shape()[2]; ++x)
            values.push_back(map.at(0, y, x, c));
    const auto place = values.begin() + static_cast<std::ptrdiff_t>(values.size() - 1 - values.size() / 100);
    std::nth_element(values.begin(), place, values.end());
    return std::max(*place, 1e-6F);
}

Image blank_for(Map map, int channels) {
    return pictures::blank(static_cast<int>(map.shape()[1]), static_cast<int>(map.shape()[2]), channels, 0);
}

} // namespace

Image colours(Map map) {
    Image image = blank_for(map, 3);
    std::copy_n(map.data(), image.pixels.size(), image.pixels.data());
    return image;
}

Image channel(Map map, int c) {
    Image image = blank_for(map, 1);
    const float bright = bright_value(map, c);
    for (int y = 0; y < image.height; ++y)
        for (int x = 0; x < image.width; ++x)
            pixel(image, y, x)[0] = std::sqrt(std::max(map.at(0, y, x, c), 0.0F) / bright);
    return image;
}

Image hues(Map map) {
    constexpr float hue[4][3] = {{1, 0.3F, 0.2F}, {0.9F, 0.8F, 0}, {0.1F, 0.8F, 0.3F}, {0.2F, 0.4F, 1}};
    Image image = blank_for(map, 3);
    for (int d = 0; d < 4; ++d) {
        const float bright = bright_value(map, d);
        for (int y = 0; y < image.height; ++y)
            for (int x = 0; x < image.width; ++x)
                for (int c = 0; c < 3; ++c)
                    pixel(image, y, x)[c] += hue[d][c] * map.at(0, y, x, d) / bright;
    }
    return image;
}

Image signed_difference(Map a, Map b, int c) {
    Image image = blank_for(a, 3);
    const float bright = std::max(bright_value(a, c), bright_value(b, c));
    for (int y = 0; y < image.height; ++y)
        for (int x = 0; x < image.width; ++x) {
            const float difference = (a.at(0, y, x, c) - b.at(0, y, x, c)) / bright;
            float* rgb = pixel(image, y, x);
            rgb[0] = 1 - std::clamp(-difference, 0.0F, 1.0F);
            rgb[1] = 1 - std::min(std::abs(difference), 1.0F);
            rgb[2] = 1 - std::clamp(difference, 0.0F, 1.0F);
        }
    return image;
}

} // namespace photo
