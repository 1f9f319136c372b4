// The gradients of biases and residuals: sums over all positions, and none.
#include "generators/input_map.hpp"
#include "generators/sum_gradient.hpp"

namespace lamina {

using Halide::Func;
using Halide::RDom;

namespace {

Stages build_bias_gradient(const Problem& problem, const OperatorInputs& inputs) {
    Stages a;
    const Problem p = as_pointwise(problem);
    const Shape out = output_shape(p);
    const Func gradient = sum_gradient(problem, inputs);
    a.window = RDom(0, out.width, 0, out.height, 0, inputs.batch, "window");
    a.sum = Func("sum");
    a.sum(a.d) = 0.0f;
    a.sum(a.d) += read(gradient, p, {a.d, a.window[0], a.window[1], a.window[2]});
    a.output = Func("result");
    a.output(a.d) = a.sum(a.d);
    return a;
}

Stages build_residual_gradient(const Problem& problem, const OperatorInputs& inputs) {
    Stages a;
    const Func gradient = sum_gradient(problem, inputs);
    a.output = Func("result");
    a.output(gradient.args()) = gradient(gradient.args());
    return a;
}

} // namespace

using CrossCorrelationBiasGradientGenerator =
    OperatorGenerator<Operator::cross_correlation_bias_gradient, build_bias_gradient>;
using CrossCorrelationResidualGradientGenerator =
    OperatorGenerator<Operator::cross_correlation_residual_gradient, build_residual_gradient>;
using ConvolutionBiasGradientGenerator =
    OperatorGenerator<Operator::convolution_bias_gradient, build_bias_gradient>;
using ConvolutionResidualGradientGenerator =
    OperatorGenerator<Operator::convolution_residual_gradient, build_residual_gradient>;
using TransposedConvolutionBiasGradientGenerator =
    OperatorGenerator<Operator::transposed_convolution_bias_gradient, build_bias_gradient>;
using TransposedConvolutionResidualGradientGenerator =
    OperatorGenerator<Operator::transposed_convolution_residual_gradient, build_residual_gradient>;
using DenseBiasGradientGenerator = OperatorGenerator<Operator::dense_bias_gradient, build_bias_gradient>;
using DenseResidualGradientGenerator =
    OperatorGenerator<Operator::dense_residual_gradient, build_residual_gradient>;

} // namespace lamina

HALIDE_REGISTER_GENERATOR(lamina::CrossCorrelationBiasGradientGenerator, cross_correlation_bias_gradient)
HALIDE_REGISTER_GENERATOR(lamina::CrossCorrelationResidualGradientGenerator,
                          cross_correlation_residual_gradient)
HALIDE_REGISTER_GENERATOR(lamina::ConvolutionBiasGradientGenerator, convolution_bias_gradient)
HALIDE_REGISTER_GENERATOR(lamina::ConvolutionResidualGradientGenerator, convolution_residual_gradient)
HALIDE_REGISTER_GENERATOR(lamina::TransposedConvolutionBiasGradientGenerator,
                          transposed_convolution_bias_gradient)
HALIDE_REGISTER_GENERATOR(lamina::TransposedConvolutionResidualGradientGenerator,
                          transposed_convolution_residual_gradient)
HALIDE_REGISTER_GENERATOR(lamina::DenseBiasGradientGenerator, dense_bias_gradient)
HALIDE_REGISTER_GENERATOR(lamina::DenseResidualGradientGenerator, dense_residual_gradient)
