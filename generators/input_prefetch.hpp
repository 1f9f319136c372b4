// Hides the way of an input that is read strip by strip.
#pragma once

#include "lamina/problem.hpp"
#include "schedules/family.hpp"

#include <Halide.h>

namespace lamina {

// While the 1x1 sums of one strip of a separable convolution are computed, which read nothing from beyond the
// L2 cache, each turn of their innermost loop fetches a line or some of what the next strip's depthwise sums
// read. Without it the core waits for the input in the one part, and leaves the caches behind alone in the
// other. One call per tile for all of its lines was of no use: more than the core can wait for at once.
// Measured on a Zen 3: 112x112x96 with stride 2 to 24, 4.8 MB of input, 0.63 of the peak without and 0.71
// with.
//
// For modules of request.separable whose output runs in loops named `task` (strips of all images), `co`
// (blocks) and `tile`, as request.prefetch_tiles says; others come back as they are.
Halide::Module with_input_prefetch(const Halide::Module& module, const Problem& problem,
                                   const AlgorithmRequest& request);

} // namespace lamina
