// How an operator reads its input: layout, padding by any mode, and the zeros between elements of a
// transposed operator.
#pragma once

#include "lamina/problem_text.hpp"
#include "schedules/stages.hpp"

namespace lamina {

// The input as a Func of (c, x, y, n), whatever its layout.
Halide::Expr read(const Halide::Func& map, const Problem& problem, std::vector<Halide::Expr> cxyn);

// The arguments of a map's Func in memory order, the contiguous one first.
std::vector<Halide::Var> in_memory_order(const Stages& a, const Problem& problem);

// Where windows look: a Func of padded coordinates (c, x, y, n), x and y from 0, which is the input itself
// where nothing is to be padded. What is outside the input has the value `outside`. Sets a.padded where a
// Func of its own is needed, which it always is for an input that is computed, and not to be so for each
// window.
Halide::Func padded_input(Stages& a, const Problem& problem, const Halide::Func& input,
                          const Halide::Expr& outside, bool is_computed = false);

// The same for windows that may look beyond the padded input, where they see its last row and column: always
// a Func of its own, a.padded, with zeros outside the input.
Halide::Func padded_beyond(Stages& a, const Problem& problem, const Halide::Func& input);

// The same for windows that look at the input itself: Halide makes loops of their own for those that meet no
// padding.
Halide::Func padded_in_place(const Problem& problem, const Halide::Func& input, const Halide::Expr& outside);

// What padded_input() has at (c, x, y, n), in padded coordinates within a window's sum, from an input that is
// not padded, for channels that are vectors: rows in padding and between the elements of a transposed
// operator, and its columns between elements, are left out of `window`; columns in padding are zeros, with a
// condition that Halide takes out of the loop over the columns within. Padding must be zeros. Sets a.padded
// where the input is computed.
Halide::Expr read_unpadded(Stages& a, const Problem& problem, const Halide::Func& input, Halide::RDom& window,
                           std::vector<Halide::Expr> cxyn, bool is_computed);

// The sum at (c, x, y, n) over all positions of the padded input that hold this element of the input: what
// takes the gradient of the padded input to that of the input.
Halide::Expr folded(const Stages& a, const Problem& problem, const Halide::Func& padded);

// Whether the position (x, y) in padded coordinates lies in the input.
Halide::Expr is_inside(const Problem& problem, const Halide::Expr& x, const Halide::Expr& y);

} // namespace lamina
