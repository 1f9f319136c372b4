// Grids of schedules: --sweep knob=values.
#pragma once

#include <string>
#include <vector>

namespace lamina::tools {

struct SweptKnob {
    std::string name;
    std::vector<std::string> values; // as they stand in a schedule
};

struct Sweep {
    std::vector<SweptKnob> knobs;
    std::string error; // names the text that is none
};

// Texts like `positions=2,4,6`, and `strip=1..8` for a range.
Sweep parse_sweep(const std::vector<std::string>& texts);

// Every combination on top of a schedule, whose own values for these knobs give way.
std::vector<std::string> swept_schedules(const std::string& schedule, const Sweep& sweep);

// The value of a knob in a schedule's text, "" where it has none.
std::string knob_value(const std::string& schedule, const std::string& knob);

} // namespace lamina::tools
