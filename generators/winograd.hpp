// Convolutions of stride 1 by Winograd's algorithm.
#pragma once

#include "generators/packed_kernel.hpp"

namespace lamina {

// The sums of `problem`, which is a convolution of stride 1 without dilation, or a gradient that is one, and
// its epilogue, by blocks of tiles as the request wants them.
Stages winograd_convolution(const Problem& problem, const OperatorInputs& inputs);

} // namespace lamina
