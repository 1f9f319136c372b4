#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace pictures {

// NHWC with one picture: element ((y * width) + x) * channels + c, from 0 (black) to 1.
struct Image {
    int height = 0, width = 0, channels = 0;
    std::vector<float> pixels;
};

struct LoadedImage {
    std::optional<Image> image;
    std::string error; // why there is no image; names the path
};

// A PNG or JPEG file of at most 64 megapixels, told apart by their first bytes, as 3 channels of sRGB.
// Transparent pixels are laid on white. A JPEG's Exif orientation is not applied.
[[nodiscard]] LoadedImage load_image(const std::filesystem::path& path);

// 1 channel (grey) or 3 (sRGB); values outside of 0..1 are clamped. The file appears whole or not at all.
// Returns "", or the reason, which names the path.
[[nodiscard]] std::string save_png(const std::filesystem::path& path, const Image& image);

} // namespace pictures
