// The gradients of depthwise kernels from maps as they are.
#pragma once

#include "generators/problem_generator.hpp"

namespace lamina {

// One sum for each element of the kernel, strip by strip of windows, over the regions of the window sweep: no
// map is stored, and no product with padding is computed.
Stages depthwise_kernel_gradient(const Problem& problem, const OperatorInputs& inputs);

} // namespace lamina
