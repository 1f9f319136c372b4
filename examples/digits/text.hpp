// Words in a picture.
#pragma once

#include "common/image.hpp"

#include <array>
#include <string_view>

namespace digits {

using Colour = std::array<float, 3>; // red, green, blue

inline constexpr int text_height = 14; // pixels

// Of digits, the letters of "accuracy epoch loss test", points, percent signs; others leave a gap. What
// is outside of the image is left out.
void draw_text(pictures::Image& image, int top, int left, std::string_view text, const Colour& colour);

int text_width(std::string_view text); // pixels

} // namespace digits
