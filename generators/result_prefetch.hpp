// Hides the way of results, and of a residual, of which a tile has a few channels of each position.
#pragma once

#include "lamina/problem.hpp"
#include "schedules/family.hpp"

#include <Halide.h>

namespace lamina {

// Each tile of a block of output channels fetches the lines in which the next block's tile at the same
// positions stores its results, and those of the residual that it adds. The blocks' lines are as far apart as
// a position has channels, so that the core does not see them coming, and a line is read before it is
// written. direct_ahead.cpp says what it gains.
//
// For modules that ask for it by request.result_prefetch; others come back as they are.
Halide::Module with_result_prefetch(const Halide::Module& module, const Problem& problem,
                                    const AlgorithmRequest& request);

} // namespace lamina
