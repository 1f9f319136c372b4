// The gradient of a kernel from what strips of windows give.
#pragma once

#include "schedules/stages.hpp"

#include <vector>

namespace lamina {

// Adds up a.sum, which has the indices of a.strips behind the kernel's axes, to a.output. With several parts,
// a.sum has that many times as many strips along axis `divided` of a.strips as that goes through, and each
// part of them has a gradient of its own in a.parts; the output adds these in their order. `are_swapped`: the
// output has the other one of the first two axes first, and there are parts in any case, if only one.
void add_up_strips(Stages& a, const std::vector<Halide::Var>& axes, int divided, int parts,
                   bool are_swapped = false);

// Leaves the windows out of the sum over `window` whose position is not in [first, end). Along an axis of one
// window Halide 21 would simplify what unsafe_promise_clamped() says of a position by what it knows inside
// the condition, and then look for bounds outside of it; it knows nothing of one comparison of unsigned
// numbers.
void keep_within(Halide::RDom& window, int axis, const Halide::Expr& position, int first, int end);

} // namespace lamina
