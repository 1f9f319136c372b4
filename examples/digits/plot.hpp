// Curves over the epochs.
#pragma once

#include "text.hpp"

#include <span>
#include <string>
#include <vector>

namespace digits {

struct Curve {
    std::string name; // in letters that draw_text knows
    Colour colour;
    std::vector<double> values; // of the first epoch and of those behind it
};

// A picture of the curves, which are equally long; their names stand above, in their colours.
pictures::Image plotted(std::span<const Curve> curves);

} // namespace digits
