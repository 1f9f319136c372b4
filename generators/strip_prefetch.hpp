// Hides the way of maps that are read strip by strip as they are.
#pragma once

#include "lamina/problem.hpp"
#include "schedules/family.hpp"

#include <Halide.h>

namespace lamina {

// While a tile of a 1x1 kernel's gradient is summed over one strip of positions, each turn of the loop
// fetches what the same turn of the next strip reads of the map with more channels. A strip's positions are
// so far apart, for a tile's few channels of each, that the core does not see them coming.
//
// For modules that ask for it by request.window.prefetch_lines; others come back as they are.
Halide::Module with_strip_prefetch(const Halide::Module& module, const Problem& problem,
                                   const AlgorithmRequest& request);

} // namespace lamina
