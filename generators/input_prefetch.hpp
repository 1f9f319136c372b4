// Hides the way of an input that is read strip by strip.
#pragma once

#include "lamina/problem.hpp"
#include "schedules/family.hpp"

#include <Halide.h>

namespace lamina {

// While one strip is computed, each turn of its innermost loop fetches a line or some of what the next strip
// reads of the input. One call per tile for all of its lines was of no use: more than the core can wait for
// at once. The 1x1 sums of a separable convolution read nothing from beyond the L2 cache themselves, so that
// the caches behind it would be left alone: on a Zen 3, 112x112x96 with stride 2 to 24, 4.8 MB of input, 0.63
// of the peak without and 0.71 with. Tiles that read the input themselves, several positions of it at once,
// are read from memory at half of what a core gets of it in order: on a Zen 4, 10 and 22 GB/s, of 25 MB four
// places 576 bytes apart and one.
//
// For modules that ask for it by request.input_prefetch; others come back as they are. A loop over the first
// of request.input_prefetch.strips stands around all others, and nothing is fetched inside of tasks that
// do not know its turn.
Halide::Module with_input_prefetch(const Halide::Module& module, const Problem& problem,
                                   const AlgorithmRequest& request);

} // namespace lamina
