#include "filters.hpp"

#include <algorithm>
#include <array>

namespace photo {
namespace {

using Taps = std::array<float, filter_size * filter_size>;

constexpr float diagonal = 0.70710678F;

// Sums to zero and has positive taps that sum to one, so that maps lie in 0..1 and flat areas give 0.
constexpr Filter balanced(std::string_view name, HalfTurn half_turn, Taps taps) {
    float mean = 0, positive = 0;
    for (float tap : taps)
        mean += tap / static_cast<float>(taps.size());
    for (float& tap : taps) {
        tap -= mean;
        positive += std::max(tap, 0.0F);
    }
    Filter filter{name, half_turn, {}};
    std::transform(taps.begin(), taps.end(), filter.taps, [&](float tap) { return tap / positive; });
    return filter;
}

// Sobel's operator for brightness that grows in direction (right, down), a unit vector.
constexpr Filter sobel(std::string_view name, float right, float down) {
    constexpr float blur[] = {1, 4, 6, 4, 1}, slope[] = {-1, -2, 0, 2, 1};
    Taps taps{};
    for (std::size_t y = 0; y < filter_size; ++y)
        for (std::size_t x = 0; x < filter_size; ++x)
            taps[y * filter_size + x] = right * blur[y] * slope[x] + down * slope[y] * blur[x];
    return balanced(name, HalfTurn::negated, taps);
}

constexpr Filter table[] = {
    sobel("brighter to the right", 1, 0),
    sobel("brighter to the lower right", diagonal, diagonal),
    sobel("brighter below", 0, 1),
    sobel("brighter to the lower left", -diagonal, diagonal),
    balanced("a bright spot", HalfTurn::same, {0, 0, 0, 0, 0, //
                                               0, 1, 1, 1, 0, //
                                               0, 1, 1, 1, 0, //
                                               0, 1, 1, 1, 0, //
                                               0, 0, 0, 0, 0}),
    balanced("a corner: bright at the upper left", HalfTurn::different, {1, 1, 1, 0, 0, //
                                                                         1, 1, 1, 0, 0, //
                                                                         1, 1, 1, 0, 0, //
                                                                         0, 0, 0, 0, 0, //
                                                                         0, 0, 0, 0, 0}),
    balanced("a line that ends on its way right", HalfTurn::different, {0, 0, 0, 0, 0, //
                                                                        0, 0, 0, 0, 0, //
                                                                        1, 1, 1, 0, 0, //
                                                                        0, 0, 0, 0, 0, //
                                                                        0, 0, 0, 0, 0}),
    balanced("a hook", HalfTurn::different, {0, 1, 1, 1, 0, //
                                             0, 0, 0, 1, 0, //
                                             0, 0, 0, 1, 0, //
                                             0, 0, 0, 0, 0, //
                                             0, 0, 0, 0, 0}),
};

} // namespace

std::span<const Filter> filters() {
    return table;
}

lamina::Tensor<float> smoothing_kernel() {
    constexpr float row[] = {1, 6, 15, 20, 15, 6, 1}; // sums to 64
    lamina::Tensor<float> kernel({7, 7, 1, 3});
    for (int y = 0; y < 7; ++y)
        for (int x = 0; x < 7; ++x)
            for (int c = 0; c < 3; ++c)
                kernel.at(y, x, 0, c) = row[y] * row[x] / (64.0F * 64.0F);
    return kernel;
}

lamina::Tensor<float> edge_kernel() {
    constexpr float luma[] = {0.2126F, 0.7152F, 0.0722F}; // of Rec. 709
    lamina::Tensor<float> kernel({filter_size, filter_size, 3, static_cast<int>(std::size(table))});
    for (int y = 0; y < filter_size; ++y)
        for (int x = 0; x < filter_size; ++x)
            for (int c = 0; c < 3; ++c)
                for (int d = 0; d < static_cast<int>(std::size(table)); ++d)
                    kernel.at(y, x, c, d) = luma[c] * table[d].taps[y * filter_size + x];
    return kernel;
}

} // namespace photo
