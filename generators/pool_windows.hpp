// How the windows of a pool and the elements of its input find each other, along one axis.
#pragma once

#include "lamina/shapes.hpp"

#include <Halide.h>

namespace lamina {

// Positions that window number `w` counts: those of the input, or with padding those of the padded input.
Halide::Expr counted(const detail::Axis& axis, const Halide::Expr& w, bool with_padding);

// The element of the map at a padded position, the nearest one for a position in the padding. Every window
// that reaches into the padding has that one as well, so that it never changes the largest value.
Halide::Expr nearest(const Halide::Expr& position, const detail::Axis& axis);

// The window that covers an element with its element `tap`, if one does; the nearest one where none does.
struct Cover {
    Halide::Expr window, exists;
};

// Of `windows` windows. `at` is the element's index in the map that they run over.
Cover cover(const Halide::Expr& at, const Halide::Expr& tap, const detail::Axis& axis, int windows);

} // namespace lamina
