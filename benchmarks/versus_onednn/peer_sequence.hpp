// oneDNN's side of an operator that is two layers in one: two primitives, one after the other.
#pragma once

#include "benchmarks/versus_onednn/peer.hpp"

namespace lamina::versus {

// Whether the operator is such a one.
bool is_sequence(const Problem& problem);

// Sequences of a depthwise and a pointwise convolution, or of a convolution and a pool, each with its
// post-ops, of which the second reads the first one's result in the layout in which it lies. (oneDNN's own
// fused depthwise convolution stands behind a pointwise one, not before it.)
std::vector<PeerKernel> sequence_kernels(const Problem& problem, const SharedData& data);

} // namespace lamina::versus
