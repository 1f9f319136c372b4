// The references by operator, each computing `output` (and `indices`) without the epilogue.
#pragma once

#include "tests/reference/tensor.hpp"

namespace lamina::testing {

using Reference = void (*)(const Problem&, Tensors&);

void reference_cross_correlation(const Problem& problem, Tensors& tensors);
void reference_convolution(const Problem& problem, Tensors& tensors);
void reference_transposed_convolution(const Problem& problem, Tensors& tensors);
void reference_max_pool(const Problem& problem, Tensors& tensors);
void reference_average_pool(const Problem& problem, Tensors& tensors);
void reference_lp_pool(const Problem& problem, Tensors& tensors);
void reference_global_max_pool(const Problem& problem, Tensors& tensors);
void reference_global_average_pool(const Problem& problem, Tensors& tensors);
void reference_max_unpool(const Problem& problem, Tensors& tensors);
void reference_dense(const Problem& problem, Tensors& tensors);
void reference_softmax(const Problem& problem, Tensors& tensors);

// Applies the problem's fused steps to `output` in their order.
void reference_epilogue(const Problem& problem, Tensors& tensors);

} // namespace lamina::testing
