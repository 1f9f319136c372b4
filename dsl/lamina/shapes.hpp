// The one definition of all that follows from a problem: sizes, operands, operation count, bytes moved.
#pragma once

#include "lamina/operands.hpp"

namespace lamina {

// Arithmetic operations of the direct algorithm for one call (one image where the batch is open): a
// multiply-add counts as two, the padding's products are counted, the epilogue is not. For pooling, one
// operation per element of each window. A gradient of sums of products has as many as the sums, that of a
// bias or a residual one per element of the output.
constexpr std::int64_t operation_count(const Problem& p) {
    using detail::saturating_product;
    const std::int64_t window = saturating_product(p.kernel_size.height, p.kernel_size.width);
    const std::int64_t out = elements(output_shape(p)), in = elements(p.in);
    const Gradient gradient = facts(p.op).gradient;
    if (gradient == Gradient::bias || gradient == Gradient::residual)
        return out;
    switch (forward_of(p.op)) {
    case Operator::cross_correlation:
    case Operator::convolution:
        return saturating_product(saturating_product(2, out),
                                  saturating_product(window, p.in.channels / p.groups));
    case Operator::transposed_convolution:
        return saturating_product(saturating_product(2, in),
                                  saturating_product(window, p.out_channels / p.groups));
    case Operator::separable_convolution:
        return detail::saturating_sum(operation_count(depthwise_part(p)), operation_count(pointwise_part(p)));
    case Operator::pooled_cross_correlation:
        return detail::saturating_sum(operation_count(as_convolution(p)), operation_count(pooling_part(p)));
    case Operator::max_pool:
    case Operator::average_pool:
    case Operator::lp_pool:
        return saturating_product(out, window);
    case Operator::max_unpool:
        return saturating_product(in, window);
    case Operator::dense:
        return saturating_product(saturating_product(2, out), dense_features(p));
    default: // those that look at each element of the input once
        return in;
    }
}

// Bytes that a call reads and writes at least: every operand once.
constexpr std::int64_t bytes_moved(const Problem& p) {
    std::int64_t bytes = 0;
    for (const Operand& operand : operands(p))
        bytes = detail::saturating_sum(bytes, detail::saturating_product(4, operand.elements()));
    return bytes;
}

// Trained values: kernels and biases.
constexpr std::int64_t parameter_count(const Problem& p) {
    std::int64_t count = 0;
    for (const Operand& operand : operands(forward_problem(p)))
        if (is_weight(operand))
            count = detail::saturating_sum(count, operand.elements());
    return count;
}

} // namespace lamina
