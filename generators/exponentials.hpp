// The exponentials that softmax and what follows from it are made of.
#pragma once

#include "generators/input_map.hpp"

namespace lamina {

// Of the channels of each position (x, y, n), shifted by the largest of them so that none overflows.
struct Exponentials {
    Halide::Func largest, exponential, total; // exponential is of (c, x, y, n)
};

// Of the operand `input`; makes the three Funcs a's shared ones.
Exponentials shifted_exponentials(Stages& a, const Problem& problem, const Halide::Func& input);

} // namespace lamina
