// Where the windows that are summed stand in the output.
#pragma once

#include "schedules/family.hpp"
#include "schedules/stages.hpp"

namespace lamina {

// The output's position that a sum belongs to, for the sums of problem `p` and what a family asked for.
struct SumPosition {
    std::vector<Halide::Var> at;              // what the sum is indexed by, see Stages
    std::vector<Halide::Expr> of_output;      // the same for the output's (a.c, a.x or a.p, a.y, a.n)
    Halide::Expr x, y;                        // column and row of the image
    Halide::Expr first_row = y, last_row = y; // of the tile's positions
};

SumPosition sum_position(const Stages& a, const Problem& p, const AlgorithmRequest& request);

} // namespace lamina
