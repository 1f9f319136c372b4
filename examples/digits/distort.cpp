#include "distort.hpp"

#include <cmath>

namespace digits {
namespace {

// As far as a digit stays the same digit: in particular a 6 and a 9, a 1 and a 7.
constexpr double most_turn = 0.2;  // radians
constexpr double most_slant = 0.2; // columns to the side a row
constexpr double most_growth = 0.12;
constexpr double most_shift = 2; // pixels

float ink(Pixels image, int y, int x) {
    const bool is_inside = y >= 0 && y < side && x >= 0 && x < side;
    return is_inside ? static_cast<float>(image[pixel_place(y, x)]) / 255.0F : 0.0F;
}

// Of numbers above -side; std::floor is a call where the CPU need not have SSE 4.1.
int rounded_down(double value) {
    return static_cast<int>(value + side) - side;
}

// Bilinear, with paper around the image.
float ink_at(Pixels image, double y, double x) {
    const int row = rounded_down(y), column = rounded_down(x);
    const auto below = static_cast<float>(y - row), right = static_cast<float>(x - column);
    return (1 - below) * ((1 - right) * ink(image, row, column) + right * ink(image, row, column + 1)) +
           below * ((1 - right) * ink(image, row + 1, column) + right * ink(image, row + 1, column + 1));
}

} // namespace

void distort(Pixels image, Random& random, std::span<float, pixel_count> result) {
    const double turn = random.between(-most_turn, most_turn);
    const double slant = random.between(-most_slant, most_slant);
    const double height = 1 + random.between(-most_growth, most_growth);
    const double width = 1 + random.between(-most_growth, most_growth);
    const double down = random.between(-most_shift, most_shift);
    const double right = random.between(-most_shift, most_shift);
    const double sine = std::sin(turn), cosine = std::cos(turn);
    constexpr double centre = (side - 1) / 2.0;
    for (int row = 0; row < side; ++row)
        for (int column = 0; column < side; ++column) {
            const double v = (row - centre - down) * height;
            const double u = (column - centre - right) * width + slant * v;
            result[pixel_place(row, column)] =
                ink_at(image, centre + cosine * v - sine * u, centre + sine * v + cosine * u);
        }
}

} // namespace digits
