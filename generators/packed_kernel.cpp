#include "generators/packed_kernel.hpp"

#include "generators/winograd_matrices.hpp"

namespace lamina {

using Halide::Expr;
using Halide::Func;

namespace {

// The gradient of an input reads the kernel the other way round.
bool is_kernel_flipped(Operator op) {
    const Operator forward = forward_of(op);
    return forward != Operator::dense && (forward != Operator::cross_correlation) != is_gradient(op);
}

// An axis on which the kernel has one element is not transformed.
Size tile_outputs(const Problem& p, const WinogradRequest& request) {
    if (request.outputs == 0)
        return Size(0);
    return {p.kernel_size.height > 1 ? request.outputs : 1, p.kernel_size.width > 1 ? request.outputs : 1};
}

} // namespace

KernelLayout kernel_layout(const Problem& problem, const AlgorithmRequest& request) {
    if (problem.op == Operator::separable_convolution)
        return kernel_layout(pointwise_part(problem), request);
    if (problem.op == Operator::pooled_cross_correlation)
        return kernel_layout(as_convolution(problem), request);
    const Problem p = as_convolution(problem);
    return {.out = p.out_channels,
            .in = p.in.channels / p.groups,
            .width = p.kernel_size.width,
            .height = p.kernel_size.height,
            .groups = p.groups,
            .block = request.kernel_block,
            .tile = request.kernel_block * request.kernel_blocks,
            .chunk = request.kernel_chunk > 0 ? request.kernel_chunk : p.in.channels / p.groups,
            .is_flipped = is_kernel_flipped(problem.op),
            .is_matrix = forward_of(problem.op) == Operator::dense,
            .is_transposed = is_gradient(problem.op),
            .outputs = tile_outputs(p, request.winograd),
            .blocks = request.winograd.blocks};
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
// y, chunk, block); and of one that is transformed (d within block, c, block within its group, x, y, group).
Expr packed_element(const KernelLayout& k, const Func& packed, const Expr& d, const Expr& c, const Expr& x,
                    const Expr& y) {
    if (k.is_transformed()) {
        const int points = k.points().width * k.points().height;
        const Expr number = d / k.block, at = x + k.points().width * y;
        return packed(d % k.block + k.block * (c + k.in * (number % k.blocks +
                                                           k.blocks * (at + points * (number / k.blocks)))));
    }
    const int window = k.width * k.height;
    const Expr term = c % k.chunk + k.chunk * (x + k.width * y + window * (c / k.chunk));
    if (k.block == 0)
        return packed(d + k.out * term);
    return packed(d % k.block + k.block * term + k.block * k.in * window * (d / k.block));
}

// Products of the transforms' elements along both axes, a row for each pair of points.
Halide::Buffer<float> transform_of_kernel(const KernelLayout& k) {
    const Matrix across = winograd_matrices(k.outputs.width, k.width).kernel,
                 down = winograd_matrices(k.outputs.height, k.height).kernel;
    Halide::Buffer<float> table(k.width * k.height, k.points().width * k.points().height);
    table.for_each_element([&](int element, int point) {
        table(element, point) = static_cast<float>(across[point % k.points().width][element % k.width] *
                                                   down[point / k.points().width][element / k.width]);
    });
    return table;
}

Func transformed_func(const KernelLayout& k, const Func& kernel) {
    Halide::Var e("e");
    Func packed("packed_kernel");
    const int points = k.points().width * k.points().height;
    const Expr run = e / k.block, group = run / (k.in * k.blocks * points);
    const Expr d = e % k.block + k.block * (run / k.in % k.blocks + k.blocks * group);
    const Expr c = run % k.in, point = run / (k.in * k.blocks) % points;
    const Halide::Buffer<float> table = transform_of_kernel(k);
    Expr sum;
    for (int y = 0; y < k.height; ++y)
        for (int x = 0; x < k.width; ++x) {
            const Expr term = table(x + k.width * y, point) * plain_element(k, kernel, d, c, x, y);
            sum = sum.defined() ? sum + term : term;
        }
    packed(e) = sum;
    return packed;
}

Func packed_func(const KernelLayout& k, const Func& kernel) {
    if (k.is_transformed())
        return transformed_func(k, kernel);
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

// What the values of a block share is computed once for all of them.
int packed_run(const KernelLayout& k) {
    return k.is_transformed() ? k.block : 1;
}

} // namespace

Kernel::Kernel(Stages& a, const Problem& problem, const OperatorInputs& inputs)
    : layout_(kernel_layout(problem, inputs.request)),
      is_packed_(inputs.is_kernel_packed || layout_.block != 0) {
    if (!inputs.is_kernel_packed && is_packed_)
        a.packed_kernel = packed_func(layout_, inputs["kernel"]);
    a.packed_run = packed_run(layout_);
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
    const KernelLayout k = kernel_layout(problem, request);
    const std::int64_t tiles = (k.out + k.tile - 1) / k.tile;
    return tiles * k.tile * k.in * k.points().width * k.points().height;
}

Stages pack_kernel(const Problem& p, const AlgorithmRequest& request, const Func& kernel) {
    Stages a;
    Halide::Var e("e");
    a.c = e;
    a.output = Func("packed");
    const KernelLayout layout = kernel_layout(p, request);
    a.output(e) = packed_func(layout, kernel)(e);
    a.packed_run = packed_run(layout);
    return a;
}

} // namespace lamina
