// oneDNN's side of a separable convolution: two primitives, one after the other.
#pragma once

#include "benchmarks/versus_onednn/peer.hpp"

namespace lamina::versus {

// Sequences of a depthwise and a pointwise convolution, each with its post-ops, of which the second reads the
// first one's result in the layout in which it lies. (oneDNN's own fused depthwise convolution stands behind
// a pointwise one, not before it.)
std::vector<PeerKernel> separable_kernels(const Problem& problem, const SharedData& data);

} // namespace lamina::versus
