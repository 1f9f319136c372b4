// Every schedule that may be tried for a problem on a target.
#pragma once

#include "schedules/choice.hpp"

#include <vector>

namespace lamina {

struct Point {
    const Family* family = nullptr;
    Knobs knobs;
    double cost = 0; // expected cycles by the family's own model; 0 where it has none
};

// All legal combinations of the knobs of every family that fits and is no baseline, the cheapest first.
// Families without a model of their cost come last, in the order of the family table.
std::vector<Point> search_space(const Situation& situation);

// The legal points that differ from `from` in one knob, by one step of its values up or down.
std::vector<Point> neighbours(const Situation& situation, const Point& from);

} // namespace lamina
