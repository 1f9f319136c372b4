// The references by operator, each computing `output` (and `indices`) without the epilogue, or a gradient.
#pragma once

#include "tests/reference/tensor.hpp"

namespace lamina::testing {

using Reference = void (*)(const Problem&, Tensors&);

void reference_cross_correlation(const Problem& problem, Tensors& tensors);
void reference_convolution(const Problem& problem, Tensors& tensors);
void reference_transposed_convolution(const Problem& problem, Tensors& tensors);
void reference_separable_convolution(const Problem& problem, Tensors& tensors);
void reference_pooled_cross_correlation(const Problem& problem, Tensors& tensors);
void reference_max_pool(const Problem& problem, Tensors& tensors);
void reference_average_pool(const Problem& problem, Tensors& tensors);
void reference_lp_pool(const Problem& problem, Tensors& tensors);
void reference_global_max_pool(const Problem& problem, Tensors& tensors);
void reference_global_average_pool(const Problem& problem, Tensors& tensors);
void reference_max_unpool(const Problem& problem, Tensors& tensors);
void reference_dense(const Problem& problem, Tensors& tensors);
void reference_softmax(const Problem& problem, Tensors& tensors);
void reference_add(const Problem& problem, Tensors& tensors);
void reference_softmax_cross_entropy(const Problem& problem, Tensors& tensors);
void reference_mean_squared_error(const Problem& problem, Tensors& tensors);
void reference_sgd(const Problem& problem, Tensors& tensors);
void reference_adam(const Problem& problem, Tensors& tensors);

// Of every convolution.
void reference_input_gradient(const Problem& problem, Tensors& tensors);
void reference_kernel_gradient(const Problem& problem, Tensors& tensors);
// Of every operator with an epilogue.
void reference_bias_gradient(const Problem& problem, Tensors& tensors);
void reference_residual_gradient(const Problem& problem, Tensors& tensors);
void reference_dense_input_gradient(const Problem& problem, Tensors& tensors);
void reference_dense_kernel_gradient(const Problem& problem, Tensors& tensors);
void reference_max_pool_gradient(const Problem& problem, Tensors& tensors);
void reference_average_pool_gradient(const Problem& problem, Tensors& tensors);
void reference_lp_pool_gradient(const Problem& problem, Tensors& tensors);
void reference_global_max_pool_gradient(const Problem& problem, Tensors& tensors);
void reference_global_average_pool_gradient(const Problem& problem, Tensors& tensors);
void reference_max_unpool_gradient(const Problem& problem, Tensors& tensors);
void reference_softmax_gradient(const Problem& problem, Tensors& tensors);
void reference_softmax_cross_entropy_gradient(const Problem& problem, Tensors& tensors);
void reference_mean_squared_error_gradient(const Problem& problem, Tensors& tensors);

// Applies the problem's fused steps to `output` in their order, and keeps the activation's argument where the
// problem asks for it.
void reference_epilogue(const Problem& problem, Tensors& tensors);

} // namespace lamina::testing
