// Hides the way of an input that is read strip by strip.
#pragma once

#include "lamina/problem.hpp"
#include "schedules/family.hpp"

#include <Halide.h>

namespace lamina {

// While the tiles of one strip of a separable convolution's 1x1 sums are computed, which read nothing from
// beyond the L2 cache, each fetches a part of what the next strip's depthwise sums read: one call of the
// runtime's lamina_prefetch() per tile. Without it, the core waits for the input in the one part and leaves
// the caches behind alone in the other.
//
// For modules of request.separable whose output runs in loops named `task` (strips of all images), `co`
// (blocks) and `tile`, as request.prefetch_tiles says; others come back as they are.
Halide::Module with_input_prefetch(const Halide::Module& module, const Problem& problem,
                                   const AlgorithmRequest& request);

} // namespace lamina
