#include "generators/packed_kernel.hpp"

namespace lamina {

using Halide::Expr;
using Halide::Func;

namespace {

// The gradient of an input reads the kernel the other way round.
bool is_kernel_flipped(Operator op) {
    const Operator forward = forward_of(op);
    return forward != Operator::dense && (forward != Operator::cross_correlation) != is_gradient(op);
}

} // namespace

KernelLayout kernel_layout(const Problem& problem, const AlgorithmRequest& request) {
    if (problem.op == Operator::separable_convolution)
        return kernel_layout(pointwise_part(problem), request);
    const Problem p = as_convolution(problem);
    return {.out = p.out_channels,
            .in = p.in.channels / p.groups,
            .width = p.kernel_size.width,
            .height = p.kernel_size.height,
            .groups = p.groups,
            .block = request.kernel_block,
            .chunk = request.kernel_chunk > 0 ? request.kernel_chunk : p.in.channels / p.groups,
            .is_flipped = is_kernel_flipped(problem.op),
            .is_matrix = forward_of(problem.op) == Operator::dense,
            .is_transposed = is_gradient(problem.op)};
}

namespace {

// Element (d, c, x, y) of the kernel as the window's sum reads it.
Expr plain_element(const KernelLayout& k, const Func& kernel, const Expr& d, const Expr& c, const Expr& x,
                   const Expr& y) {
    if (k.is_matrix)
        return k.is_transposed ? kernel(c, d) : kernel(d, c);
    const Expr column = k.is_flipped ? k.width - 1 - x : x, row = k.is_flipped ? k.height - 1 - y : y;
    if (!k.is_transposed)
        return kernel(d, c, column, row);
    const int group_out = k.out / k.groups;
    return k.groups == 1 ? kernel(c, d, column, row)
                         : kernel(c + d / group_out * k.in, d % group_out, column, row);
}

// Its place in the packed kernel, which the packing has already flipped: (d within block, c within chunk, x,
// y, chunk, block).
Expr packed_element(const KernelLayout& k, const Func& packed, const Expr& d, const Expr& c, const Expr& x,
                    const Expr& y) {
    const int window = k.width * k.height;
    const Expr term = c % k.chunk + k.chunk * (x + k.width * y + window * (c / k.chunk));
    if (k.block == 0)
        return packed(d + k.out * term);
    return packed(d % k.block + k.block * term + k.block * k.in * window * (d / k.block));
}

Func packed_func(const KernelLayout& k, const Func& kernel) {
    Halide::Var e("e");
    Func packed("packed_kernel");
    const int block = k.block == 0 ? k.out : k.block, window = k.width * k.height;
    const Expr term = (e / block) % (k.in * window), tap = (term / k.chunk) % window;
    const Expr d = e % block + block * (e / (block * k.in * window));
    const Expr c = term % k.chunk + k.chunk * (term / (k.chunk * window));
    const Expr value = plain_element(k, kernel, min(d, k.out - 1), c, tap % k.width, tap / k.width);
    packed(e) = k.out % block == 0 ? value : select(d < k.out, value, 0.0f);
    return packed;
}

} // namespace

Kernel::Kernel(Stages& a, const Problem& problem, const OperatorInputs& inputs)
    : layout_(kernel_layout(problem, inputs.request)),
      is_packed_(inputs.is_kernel_packed || layout_.block != 0) {
    if (!inputs.is_kernel_packed && is_packed_)
        a.packed_kernel = packed_func(layout_, inputs["kernel"]);
    func_ = inputs.is_kernel_packed ? inputs["packed_kernel"]
            : is_packed_            ? a.packed_kernel
                                    : inputs["kernel"];
}

Expr Kernel::at(const Expr& d, const Expr& c, const Expr& x, const Expr& y) const {
    return is_packed_ ? packed_element(layout_, func_, d, c, x, y)
                      : plain_element(layout_, func_, d, c, x, y);
}

Expr input_channel(const Problem& p, const Expr& d, const Expr& c) {
    const int group_in = p.in.channels / p.groups, group_out = p.out_channels / p.groups;
    if (p.groups == 1)
        return c;
    if (group_in == 1 && group_out == 1)
        return d;
    return c + (d / group_out) * group_in;
}

std::int64_t packed_kernel_size(const Problem& problem, const AlgorithmRequest& request) {
    if (request.kernel_block == 0)
        return kernel_operand(problem).elements();
    const Problem p = as_convolution(problem);
    const std::int64_t blocks = (p.out_channels + request.kernel_block - 1) / request.kernel_block;
    return blocks * request.kernel_block * (kernel_operand(problem).elements() / p.out_channels);
}

Stages pack_kernel(const Problem& p, const AlgorithmRequest& request, const Func& kernel) {
    Stages a;
    Halide::Var e("e");
    a.c = e;
    a.output = Func("packed");
    a.output(e) = packed_func(kernel_layout(p, request), kernel)(e);
    return a;
}

} // namespace lamina
