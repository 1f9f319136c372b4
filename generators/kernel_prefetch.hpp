// Hides the way of a kernel that is too large for the caches near the core.
#pragma once

#include "lamina/problem.hpp"
#include "schedules/family.hpp"

#include <Halide.h>

namespace lamina {

// While the tiles of one block of output channels are computed, each fetches a part of the next block's
// packed kernel into the L2 cache: few lines at each turn of the sum's innermost loops, so that they never
// wait for one another. Without it the first tile of a block waits for all of the block's kernel. Halide's
// own prefetches are non-temporal on x86-64, so that what they fetch does not stay in the L2 cache.
//
// For modules whose `sum` runs in loops named `co` (blocks) and `tile`, or by Winograd's algorithm whose
// `product_sum` runs in loops named `group` and `ay`, `ax` (points) as well, as request.prefetch_tiles says;
// others come back as they are.
Halide::Module with_kernel_prefetch(const Halide::Module& module, const Problem& problem,
                                    const AlgorithmRequest& request);

} // namespace lamina
