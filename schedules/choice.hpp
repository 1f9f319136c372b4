// Which schedule a problem gets on a target, and why.
#pragma once

#include "schedules/family.hpp"

namespace lamina {

struct Choice {
    const Family* family = nullptr;
    Knobs knobs = {};
    std::string reason = {}; // where the schedule comes from, one line
    std::string error = {};  // why there is none, or empty
};

// A schedule given by the user as text -> the record of this problem and target -> the nearest record of the
// same operator and target, where it has the family that is the default here -> the first fitting family's
// analytic default. Knobs that a given schedule leaves out take their default. `records` is the folder of
// record files; "" means none.
Choice choose_schedule(const Situation& situation, const std::string& text, const std::string& records);

// Puts the choice on the algorithm.
void apply_schedule(const Choice& choice, Stages& algorithm, const Situation& situation);

// Schedules a kernel's packing, whose one Var is algorithm.c.
void schedule_packing(Stages& algorithm, const Situation& situation);

} // namespace lamina
