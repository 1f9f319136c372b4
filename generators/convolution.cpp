// cross_correlation, convolution, transposed_convolution and dense: one sum of products over a window, which
// differ in how the kernel is read and in what lies between and around the input's elements.
#include "generators/epilogue.hpp"
#include "generators/input_map.hpp"
#include "generators/problem_generator.hpp"

namespace lamina {

using Halide::Expr;
using Halide::Func;
using Halide::RDom;

namespace {

// The kernel's own axes, and how many output channels one block of the packed kernel holds.
struct KernelLayout {
    int out, in, width, height; // out channels of the layer, input channels of a group
    int block;                  // 0: the kernel's own order
    int chunk;                  // divides `in`
    bool is_flipped;            // the sum runs over the kernel backwards
    bool is_matrix;             // the kernel has two axes, d and the input's elements in their memory order
    Layout layout;
};

KernelLayout kernel_layout(const Problem& problem, const AlgorithmRequest& request) {
    const Problem p = as_convolution(problem);
    return {.out = p.out_channels,
            .in = p.in.channels / p.groups,
            .width = p.kernel_size.width,
            .height = p.kernel_size.height,
            .block = request.kernel_block,
            .chunk = request.kernel_chunk > 0 ? request.kernel_chunk : p.in.channels / p.groups,
            .is_flipped = p.op != Operator::cross_correlation,
            .is_matrix = problem.op == Operator::dense,
            .layout = p.layout};
}

// Element (d, c, x, y) of the kernel as the window's sum reads it.
Expr plain_element(const KernelLayout& k, const Func& kernel, const Expr& d, const Expr& c, const Expr& x,
                   const Expr& y) {
    if (k.is_matrix)
        return kernel(d, k.layout == Layout::nchw ? x + k.width * (y + k.height * c)
                                                  : c + k.in * (x + k.width * y));
    if (k.is_flipped)
        return kernel(d, c, k.width - 1 - x, k.height - 1 - y);
    return kernel(d, c, x, y);
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

// The channel of the input that output channel `d` meets at the window's channel `c`.
Expr input_channel(const Problem& p, const Expr& d, const Expr& c) {
    const int group_in = p.in.channels / p.groups, group_out = p.out_channels / p.groups;
    if (p.groups == 1)
        return c;
    if (group_in == 1 && group_out == 1)
        return d;
    return c + (d / group_out) * group_in;
}

Stages build_convolution(const Problem& problem, const OperatorInputs& inputs) {
    Stages a;
    const Problem p = as_convolution(problem);
    const KernelLayout k = kernel_layout(problem, inputs.request);
    const Func map = padded_input(a, p, inputs["input"], 0.0f);
    const int out_width = output_shape(p).width;
    a.is_linear = inputs.request.is_linear;
    a.window = RDom(0, k.in, 0, k.width, 0, k.height, "window");
    if (!inputs.is_kernel_packed && k.block != 0)
        a.packed_kernel = packed_func(k, inputs["kernel"]);
    const Func kernel = inputs.is_kernel_packed ? inputs["packed_kernel"]
                        : k.block != 0          ? a.packed_kernel
                                                : inputs["kernel"];
    const bool is_packed = inputs.is_kernel_packed || k.block != 0;

    const Expr x = a.is_linear ? a.p % out_width : Expr(a.x), y = a.is_linear ? a.p / out_width : Expr(a.y);
    const std::vector<Halide::Var> at{a.c, a.is_linear ? a.p : a.x, a.y, a.n};
    const Halide::RVar rc = a.window[0], rx = a.window[1], ry = a.window[2];
    const Expr weight =
        is_packed ? packed_element(k, kernel, a.c, rc, rx, ry) : plain_element(k, kernel, a.c, rc, rx, ry);
    const Size stride = window_stride(p);
    // A last block that is not full has sums of channels that do not exist; they have no bias either.
    const bool is_full = k.block == 0 || k.out % k.block == 0;
    const bool starts_with_bias = is_full && p.epilogue.count > 0 && p.epilogue.steps[0] == Step::bias;
    if (inputs.request.tile_positions > 0) {
        const Expr tile = a.y, size = inputs.request.tile_positions;
        const Expr last = min(tile * size + size, output_shape(p).height * out_width) - 1;
        a.window.where(meets_input<Expr>(p, tile * size / out_width, last / out_width, a.window[2]));
    }
    a.sum = Func("sum");
    a.sum(at) = starts_with_bias ? Expr(inputs["bias"](a.c)) : Expr(0.0f);
    a.sum(at) += weight * map(input_channel(p, a.c, rc), x * stride.width + rx * p.dilation.width,
                              y * stride.height + ry * p.dilation.height, a.n);

    EpilogueOperands operands;
    if (p.epilogue.has(Step::bias))
        operands.bias = inputs["bias"](a.c);
    if (p.epilogue.has(Step::residual))
        operands.residual = read(inputs["residual"], p, {at[0], at[1], at[2], at[3]});
    a.output = Func("result");
    const Expr sum = inputs.request.tile_positions > 0
                         ? a.sum(a.c, a.p, a.p / inputs.request.tile_positions, a.n)
                         : a.sum(at);
    a.output(in_memory_order(a, p)) = apply_epilogue(p.epilogue, starts_with_bias ? 1 : 0, sum, operands);
    return a;
}

} // namespace

std::int64_t packed_kernel_size(const Problem& p, const AlgorithmRequest& request) {
    if (request.kernel_block == 0)
        return kernel_operand(p).elements();
    const std::int64_t blocks = (p.out_channels + request.kernel_block - 1) / request.kernel_block;
    return blocks * request.kernel_block * (kernel_operand(p).elements() / p.out_channels);
}

Stages pack_kernel(const Problem& p, const AlgorithmRequest& request, const Func& kernel) {
    Stages a;
    Halide::Var e("e");
    a.c = e;
    a.output = Func("packed");
    a.output(e) = packed_func(kernel_layout(p, request), kernel)(e);
    return a;
}

using CrossCorrelationGenerator = OperatorGenerator<Operator::cross_correlation, build_convolution>;
using ConvolutionGenerator = OperatorGenerator<Operator::convolution, build_convolution>;
using TransposedConvolutionGenerator = OperatorGenerator<Operator::transposed_convolution, build_convolution>;
using DenseGenerator = OperatorGenerator<Operator::dense, build_convolution>;

} // namespace lamina

HALIDE_REGISTER_GENERATOR(lamina::CrossCorrelationGenerator, cross_correlation)
HALIDE_REGISTER_GENERATOR(lamina::ConvolutionGenerator, convolution)
HALIDE_REGISTER_GENERATOR(lamina::TransposedConvolutionGenerator, transposed_convolution)
HALIDE_REGISTER_GENERATOR(lamina::DenseGenerator, dense)
