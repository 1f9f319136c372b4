#include "generators/stride_phases.hpp"

#include "generators/epilogue.hpp"
#include "generators/input_map.hpp"
#include "generators/packed_kernel.hpp"
#include "generators/sum_gradient.hpp"

namespace lamina {

using Halide::Expr;
using Halide::Func;
using Halide::RDom;

namespace {

// Along one axis, Z[i*s + a*l - p] += X[i] * W[a]: output i*s + phase gets W[first + t*step] * X[i + shift -
// t*back] for t < taps.
struct PhaseAxis {
    int phase, first = 0, step = 1, taps = 0, shift = 0, back = 0;
    int outputs; // of this phase
};

PhaseAxis phase_axis(const detail::Axis& axis, int phase, int outputs) {
    const auto stride = static_cast<int>(axis.stride), dilation = static_cast<int>(axis.dilation);
    const int at = phase + static_cast<int>(axis.begin);
    PhaseAxis result{.phase = phase, .outputs = (outputs - phase + stride - 1) / stride};
    int previous = 0;
    for (int a = 0; a < axis.kernel; ++a) {
        if ((at - a * dilation) % stride != 0)
            continue;
        if (result.taps == 0) {
            result.first = a;
            result.shift = (at - a * dilation) / stride;
        } else {
            result.step = a - previous;
        }
        previous = a;
        ++result.taps;
    }
    result.back = result.step * dilation / stride;
    return result;
}

// The map under the windows, zeros around it.
Func zero_padded(const Stages& a, const Problem& p, const Func& input) {
    const Expr inside = a.x >= 0 && a.x < p.in.width && a.y >= 0 && a.y < p.in.height;
    Func padded("padded");
    padded(a.c, a.x, a.y, a.n) = select(
        inside, read(input, p, {a.c, clamp(a.x, 0, p.in.width - 1), clamp(a.y, 0, p.in.height - 1), a.n}),
        0.0f);
    return padded;
}

// The sum of one phase's windows; undefined where no element of the kernel meets the input.
StridePhase phase_of(const Stages& a, const Problem& p, const Kernel& kernel, const Func& input,
                     const PhaseAxis& columns, const PhaseAxis& rows) {
    StridePhase phase;
    phase.positions = RDom(0, columns.outputs, 0, rows.outputs, "positions");
    if (columns.taps == 0 || rows.taps == 0)
        return phase;
    const KernelLayout& k = kernel.layout();
    phase.window = RDom(0, k.in, 0, columns.taps, 0, rows.taps, "window");
    phase.padded = zero_padded(a, p, input);
    const Halide::RVar rc = phase.window[0], rx = phase.window[1], ry = phase.window[2];
    // Windows see the kernel backwards, see KernelLayout.
    const Expr column = k.width - 1 - (columns.first + rx * columns.step),
               row = k.height - 1 - (rows.first + ry * rows.step);
    phase.sum = Func("sum");
    phase.sum(a.c, a.x, a.y, a.n) = 0.0f;
    phase.sum(a.c, a.x, a.y, a.n) +=
        kernel.at(a.c, rc, column, row) * phase.padded(input_channel(p, a.c, rc),
                                                       a.x + columns.shift - rx * columns.back,
                                                       a.y + rows.shift - ry * rows.back, a.n);
    return phase;
}

} // namespace

Stages stride_phases(const Problem& problem, const OperatorInputs& inputs) {
    Stages a;
    const Problem p = as_convolution(problem);
    const Shape out = output_shape(p);
    const Kernel kernel(a, problem, inputs);
    const Func input = is_gradient(problem.op) ? sum_gradient(problem, inputs) : inputs["input"];
    a.output = Func("result");
    a.output(a.c, a.x, a.y, a.n) = Halide::undef<float>();
    for (int row = 0; row < std::min(p.stride.height, out.height); ++row)
        for (int column = 0; column < std::min(p.stride.width, out.width); ++column) {
            const PhaseAxis columns = phase_axis(detail::columns(p), column, out.width),
                            rows = phase_axis(detail::rows(p), row, out.height);
            a.phases.push_back(phase_of(a, p, kernel, input, columns, rows));
            const StridePhase& phase = a.phases.back();
            const Expr i = phase.positions[0], j = phase.positions[1];
            const Expr x = i * p.stride.width + column, y = j * p.stride.height + row;
            EpilogueOperands operands;
            if (p.epilogue.has(Step::bias))
                operands.bias = inputs["bias"](a.c);
            if (p.epilogue.has(Step::residual))
                operands.residual = read(inputs["residual"], p, {a.c, x, y, a.n});
            const Expr sum = phase.sum.defined() ? phase.sum(a.c, i, j, a.n) : Expr(0.0f);
            a.output(a.c, x, y, a.n) = apply_epilogue(p.epilogue, 0, sum, operands).output;
        }
    return a;
}

} // namespace lamina
