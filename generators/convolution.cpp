// cross_correlation, convolution, transposed_convolution, dense, their inputs' gradients and
// pooled_cross_correlation: one sum of products over a window, which differ in how the kernel is read and in
// what lies between and around the elements of the map that the windows run over.
#include "generators/convolution_output.hpp"
#include "generators/input_map.hpp"
#include "generators/packed_kernel.hpp"
#include "generators/stride_phases.hpp"
#include "generators/sum_gradient.hpp"
#include "generators/sum_position.hpp"
#include "generators/winograd.hpp"

namespace lamina {

using Halide::Expr;
using Halide::Func;
using Halide::RDom;

namespace {

// Strips of a pooled map are all stored in the same size, and so the last one's input may reach beyond it.
Func map_under_windows(Stages& a, const Problem& problem, const Func& input,
                       const AlgorithmRequest& request) {
    const Problem p = sums_as_requested(problem, request);
    const Func map = padded_input(a, p, input, 0.0f, takes_slope(problem));
    const bool is_in_strips = problem.op == Operator::pooled_cross_correlation && request.is_linear;
    return is_in_strips && a.padded.defined() ? padded_beyond(a, p, input) : map;
}

Stages build_convolution(const Problem& problem, const OperatorInputs& inputs) {
    if (inputs.request.has_phases)
        return stride_phases(problem, inputs);
    if (inputs.request.winograd.outputs > 0)
        return winograd_convolution(problem, inputs);
    Stages a;
    const Problem p = sums_as_requested(problem, inputs.request);
    const Kernel kernel(a, problem, inputs);
    const KernelLayout& k = kernel.layout();
    const Func input = is_gradient(problem.op) ? sum_gradient(problem, inputs) : inputs["input"];
    const bool skips_padding = inputs.request.skips_padding;
    const Func map = skips_padding ? input : map_under_windows(a, problem, input, inputs.request);
    a.is_linear = inputs.request.is_linear;
    a.window = RDom(0, k.in, 0, k.width, 0, k.height, "window");

    const SumPosition position = sum_position(a, p, inputs.request);
    const Expr x = position.x;
    // Halide's bounds of the rows that a pool asks for next are wider than what is asked for.
    const Expr y = problem.op == Operator::pooled_cross_correlation
                       ? min(position.y, output_shape(p).height - 1)
                       : position.y;
    const Halide::RVar rc = a.window[0], rx = a.window[1], ry = a.window[2];
    const Size stride = window_stride(p);
    // A last tile that is not full has sums of channels that do not exist; they have no bias either.
    const bool is_full = k.block == 0 || k.out % k.tile == 0;
    const bool starts_with_bias = is_full && p.epilogue.count > 0 && p.epilogue.steps[0] == Step::bias;
    if (inputs.request.skips_rows)
        a.window.where(meets_input<Expr>(detail::rows(p), position.first_row, position.last_row, ry));
    if (inputs.request.skips_columns)
        a.window.where(meets_input<Expr>(detail::columns(p), x, x, rx));
    a.sum = Func("sum");
    a.sum(position.at) = starts_with_bias ? Expr(inputs["bias"](a.c)) : Expr(0.0f);
    const std::vector<Expr> under{input_channel(p, a.c, rc), x * stride.width + rx * p.dilation.width,
                                  y * stride.height + ry * p.dilation.height, a.n};
    const Expr value =
        skips_padding ? read_unpadded(a, p, input, a.window, under, takes_slope(problem)) : Expr(map(under));
    a.sum(position.at) += kernel.at(a.c, rc, rx, ry) * value;
    define_output(a, problem, inputs, a.sum(position.of_output), starts_with_bias ? 1 : 0);
    return a;
}

} // namespace

using CrossCorrelationGenerator = OperatorGenerator<Operator::cross_correlation, build_convolution>;
using ConvolutionGenerator = OperatorGenerator<Operator::convolution, build_convolution>;
using PooledCrossCorrelationGenerator =
    OperatorGenerator<Operator::pooled_cross_correlation, build_convolution>;
using TransposedConvolutionGenerator = OperatorGenerator<Operator::transposed_convolution, build_convolution>;
using DenseGenerator = OperatorGenerator<Operator::dense, build_convolution>;
using CrossCorrelationInputGradientGenerator =
    OperatorGenerator<Operator::cross_correlation_input_gradient, build_convolution>;
using ConvolutionInputGradientGenerator =
    OperatorGenerator<Operator::convolution_input_gradient, build_convolution>;
using TransposedConvolutionInputGradientGenerator =
    OperatorGenerator<Operator::transposed_convolution_input_gradient, build_convolution>;
using DenseInputGradientGenerator = OperatorGenerator<Operator::dense_input_gradient, build_convolution>;

} // namespace lamina

HALIDE_REGISTER_GENERATOR(lamina::CrossCorrelationGenerator, cross_correlation)
HALIDE_REGISTER_GENERATOR(lamina::ConvolutionGenerator, convolution)
HALIDE_REGISTER_GENERATOR(lamina::TransposedConvolutionGenerator, transposed_convolution)
HALIDE_REGISTER_GENERATOR(lamina::PooledCrossCorrelationGenerator, pooled_cross_correlation)
HALIDE_REGISTER_GENERATOR(lamina::DenseGenerator, dense)
HALIDE_REGISTER_GENERATOR(lamina::CrossCorrelationInputGradientGenerator, cross_correlation_input_gradient)
HALIDE_REGISTER_GENERATOR(lamina::ConvolutionInputGradientGenerator, convolution_input_gradient)
HALIDE_REGISTER_GENERATOR(lamina::TransposedConvolutionInputGradientGenerator,
                          transposed_convolution_input_gradient)
HALIDE_REGISTER_GENERATOR(lamina::DenseInputGradientGenerator, dense_input_gradient)
