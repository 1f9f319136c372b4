#include "text.hpp"

#include "common/arrange.hpp"

#include <algorithm>
#include <cstdint>

namespace digits {
namespace {

constexpr int magnification = 2, glyph_rows = 7, glyph_columns = 5, advance = glyph_columns + 1;

// Column by column; a column's lowest bit is its uppermost dot.
struct Glyph {
    char letter;
    std::array<std::uint8_t, glyph_columns> columns;
};

constexpr Glyph glyphs[] = {
    {'0', {0x3e, 0x51, 0x49, 0x45, 0x3e}}, {'1', {0x00, 0x42, 0x7f, 0x40, 0x00}},
    {'2', {0x42, 0x61, 0x51, 0x49, 0x46}}, {'3', {0x21, 0x41, 0x45, 0x4b, 0x31}},
    {'4', {0x18, 0x14, 0x12, 0x7f, 0x10}}, {'5', {0x27, 0x45, 0x45, 0x45, 0x39}},
    {'6', {0x3c, 0x4a, 0x49, 0x49, 0x30}}, {'7', {0x01, 0x71, 0x09, 0x05, 0x03}},
    {'8', {0x36, 0x49, 0x49, 0x49, 0x36}}, {'9', {0x06, 0x49, 0x49, 0x29, 0x1e}},
    {'.', {0x00, 0x60, 0x60, 0x00, 0x00}}, {'%', {0x23, 0x13, 0x08, 0x64, 0x62}},
    {'a', {0x20, 0x54, 0x54, 0x54, 0x78}}, {'c', {0x38, 0x44, 0x44, 0x44, 0x20}},
    {'e', {0x38, 0x54, 0x54, 0x54, 0x18}}, {'h', {0x7f, 0x08, 0x04, 0x04, 0x78}},
    {'l', {0x00, 0x41, 0x7f, 0x40, 0x00}}, {'o', {0x38, 0x44, 0x44, 0x44, 0x38}},
    {'p', {0x7c, 0x14, 0x14, 0x14, 0x08}}, {'r', {0x7c, 0x08, 0x04, 0x04, 0x08}},
    {'s', {0x48, 0x54, 0x54, 0x54, 0x20}}, {'t', {0x04, 0x3f, 0x44, 0x40, 0x20}},
    {'u', {0x3c, 0x40, 0x40, 0x20, 0x7c}}, {'y', {0x0c, 0x50, 0x50, 0x50, 0x3c}},
};
static_assert(text_height == glyph_rows * magnification);

bool has_dot(const Glyph& glyph, int row, int column) {
    return (glyph.columns[static_cast<std::size_t>(column)] >> row & 1) != 0;
}

bool is_inside(const pictures::Image& image, int y, int x) {
    return y >= 0 && x >= 0 && y < image.height && x < image.width;
}

void draw_glyph(pictures::Image& image, int top, int left, const Glyph& glyph, const Colour& colour) {
    for (int y = 0; y < glyph_rows * magnification; ++y)
        for (int x = 0; x < glyph_columns * magnification; ++x)
            if (has_dot(glyph, y / magnification, x / magnification) && is_inside(image, top + y, left + x))
                std::ranges::copy(colour, pictures::pixel(image, top + y, left + x));
}

} // namespace

void draw_text(pictures::Image& image, int top, int left, std::string_view text, const Colour& colour) {
    for (const char letter : text) {
        const auto* glyph = std::ranges::find(glyphs, letter, &Glyph::letter);
        if (glyph != std::end(glyphs))
            draw_glyph(image, top, left, *glyph, colour);
        left += advance * magnification;
    }
}

int text_width(std::string_view text) {
    return static_cast<int>(text.size()) * advance * magnification;
}

} // namespace digits
