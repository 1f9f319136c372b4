// The gradients, by going through the forward formulas and giving every operand its share of each product: a
// scatter, where the generators gather.
#include "tests/reference/operators.hpp"
#include "tests/reference/padded_axis.hpp"

#include <cmath>

namespace lamina::testing {

namespace {

double sigmoid(double x) {
    return 1 / (1 + std::exp(-x));
}

// The activation's derivative where its argument is `x`.
double slope(Step step, double leak, double x) {
    const double pi = std::acos(-1.0);
    switch (step) {
    case Step::relu:
        return x > 0 ? 1 : 0;
    case Step::relu6:
        return x > 0 && x < 6 ? 1 : 0;
    case Step::leaky_relu:
        return x > 0 ? 1 : leak;
    case Step::silu:
        return sigmoid(x) + x * sigmoid(x) * (1 - sigmoid(x));
    case Step::gelu:
        return std::erfc(-x / std::sqrt(2.0)) / 2 + x * std::exp(-x * x / 2) / std::sqrt(2 * pi);
    case Step::sigmoid:
        return sigmoid(x) * sigmoid(-x);
    case Step::tanh:
        return 1 / (std::cosh(x) * std::cosh(x));
    case Step::hard_swish:
        return x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6;
    case Step::bias:
    case Step::residual:
        break;
    }
    return 1;
}

// The same where its value is `z`, of those activations whose value tells it.
double slope_of_value(Step step, double leak, double z) {
    if (step == Step::sigmoid)
        return z * (1 - z);
    if (step == Step::tanh)
        return 1 - z * z;
    return slope(step, leak, z); // rectifiers keep the sign, and 6
}

// The output gradient taken back through those steps that come behind the operand's.
TestTensor sum_gradient(const Problem& p, const Tensors& tensors) {
    TestTensor gradient = tensors.at("output_gradient");
    const Gradient of = facts(p.op).gradient;
    for (int s = p.epilogue.count - 1; s >= 0; --s) {
        const Step step = p.epilogue.steps[static_cast<std::size_t>(s)];
        if ((of == Gradient::bias && step == Step::bias) ||
            (of == Gradient::residual && step == Step::residual))
            return gradient;
        if (!is_activation(step))
            continue;
        const bool has_output = operands(p).find("output") != nullptr;
        const TestTensor& told = tensors.at(has_output ? "output" : "preactivation");
        const double leak = p.epilogue.leaky_slope.value();
        for (std::size_t i = 0; i < gradient.data.size(); ++i)
            gradient.data[i] *=
                has_output ? slope_of_value(step, leak, told.data[i]) : slope(step, leak, told.data[i]);
    }
    return gradient;
}

// Calls visit(n, i, j, d, row, column, c, weight's index) for every product of the forward sums: of the
// input's element (n, row, column, c) and the output's (n, i, j, d).
template <class Visit>
void for_each_product(const Problem& p, int batch, Visit visit) {
    const Shape out = output_shape(p);
    const bool is_transposed = forward_of(p.op) == Operator::transposed_convolution;
    const bool is_flipped = forward_of(p.op) == Operator::convolution;
    const int group_in = p.in.channels / p.groups, group_out = p.out_channels / p.groups;
    const PaddedAxis rows = padded_rows(p), columns = padded_columns(p);
    const Padding padding = resolved_padding(p);
    // Of the side that the windows stand on.
    const Shape windows = is_transposed ? p.in : out;
    for (int n = 0; n < batch; ++n)
        for (int i = 0; i < windows.height; ++i)
            for (int j = 0; j < windows.width; ++j)
                for (int a = 0; a < p.kernel_size.height; ++a)
                    for (int b = 0; b < p.kernel_size.width; ++b) {
                        int row = i * p.stride.height + a * p.dilation.height;
                        int column = j * p.stride.width + b * p.dilation.width;
                        if (is_transposed) {
                            row -= padding.top;
                            column -= padding.left;
                            if (row < 0 || row >= out.height || column < 0 || column >= out.width)
                                continue;
                        } else {
                            row = rows.at(row);
                            column = columns.at(column);
                            if (row == PaddedAxis::nothing || column == PaddedAxis::nothing)
                                continue;
                        }
                        const int tap = is_flipped ? (p.kernel_size.height - 1 - a) * p.kernel_size.width +
                                                         p.kernel_size.width - 1 - b
                                                   : a * p.kernel_size.width + b;
                        for (int d = 0; d < p.out_channels; ++d)
                            for (int c = 0; c < group_in; ++c) {
                                const auto weight =
                                    static_cast<std::size_t>((tap * group_in + c) * p.out_channels + d);
                                const int channel = d / group_out * group_in + c;
                                if (is_transposed)
                                    visit(n, row, column, d, i, j, channel, weight);
                                else
                                    visit(n, i, j, d, row, column, channel, weight);
                            }
                    }
}

// The windows of a pool: visit(n, i, j, c, row, column) for every element of the input that one looks at.
template <class Visit>
void for_each_pooled(const Problem& p, int batch, Visit visit) {
    const Shape out = output_shape(p);
    const PaddedAxis rows = padded_rows(p), columns = padded_columns(p);
    for (int n = 0; n < batch; ++n)
        for (int i = 0; i < out.height; ++i)
            for (int j = 0; j < out.width; ++j)
                for (int a = 0; a < p.kernel_size.height; ++a)
                    for (int b = 0; b < p.kernel_size.width; ++b) {
                        const int row = rows.at(i * p.stride.height + a * p.dilation.height);
                        const int column = columns.at(j * p.stride.width + b * p.dilation.width);
                        if (row != PaddedAxis::nothing && column != PaddedAxis::nothing)
                            for (int c = 0; c < p.in.channels; ++c)
                                visit(n, i, j, c, row, column);
                    }
}

int batch_of(const Tensors& tensors) {
    return tensors.at("output_gradient").shape[0];
}

} // namespace

void reference_input_gradient(const Problem& p, Tensors& tensors) {
    const TestTensor gradient = sum_gradient(p, tensors), &kernel = tensors.at("kernel");
    const MapView<const TestTensor> given(gradient, p.layout);
    const MapView<TestTensor> result(tensors.at("input_gradient"), p.layout);
    for_each_product(p, batch_of(tensors),
                     [&](int n, int i, int j, int d, int row, int column, int c, std::size_t w) {
                         result(n, row, column, c) += given(n, i, j, d) * kernel.data.at(w);
                     });
}

void reference_kernel_gradient(const Problem& p, Tensors& tensors) {
    const TestTensor gradient = sum_gradient(p, tensors);
    const MapView<const TestTensor> given(gradient, p.layout), input(tensors.at("input"), p.layout);
    TestTensor& result = tensors.at("kernel_gradient");
    for_each_product(p, batch_of(tensors),
                     [&](int n, int i, int j, int d, int row, int column, int c, std::size_t w) {
                         result.data.at(w) += given(n, i, j, d) * input(n, row, column, c);
                     });
}

void reference_bias_gradient(const Problem& p, Tensors& tensors) {
    const TestTensor gradient = sum_gradient(p, tensors);
    const MapView<const TestTensor> given(gradient, p.layout);
    for_each_element(given, [&](int n, int i, int j, int d) {
        tensors.at("bias_gradient").data.at(static_cast<std::size_t>(d)) += given(n, i, j, d);
    });
}

void reference_residual_gradient(const Problem& p, Tensors& tensors) {
    tensors.at("residual_gradient") = sum_gradient(p, tensors);
}

void reference_dense_input_gradient(const Problem& p, Tensors& tensors) {
    const TestTensor gradient = sum_gradient(p, tensors), &kernel = tensors.at("kernel");
    const auto features = static_cast<std::size_t>(dense_features(p)),
               outputs = static_cast<std::size_t>(p.out_channels);
    for (std::size_t at = 0; at < gradient.data.size(); ++at)
        for (std::size_t f = 0; f < features; ++f)
            tensors.at("input_gradient").data.at(at / outputs * features + f) +=
                gradient.data[at] * kernel.data.at(f * outputs + at % outputs);
}

void reference_dense_kernel_gradient(const Problem& p, Tensors& tensors) {
    const TestTensor gradient = sum_gradient(p, tensors), &input = tensors.at("input");
    const auto features = static_cast<std::size_t>(dense_features(p)),
               outputs = static_cast<std::size_t>(p.out_channels);
    for (std::size_t at = 0; at < gradient.data.size(); ++at)
        for (std::size_t f = 0; f < features; ++f)
            tensors.at("kernel_gradient").data.at(f * outputs + at % outputs) +=
                gradient.data[at] * input.data.at(at / outputs * features + f);
}

void reference_max_pool_gradient(const Problem& p, Tensors& tensors) {
    const MapView<const TestTensor> given(tensors.at("output_gradient"), p.layout),
        indices(tensors.at("indices"), p.layout);
    const MapView<TestTensor> result(tensors.at("input_gradient"), p.layout);
    for_each_pooled(p, batch_of(tensors), [&](int n, int i, int j, int c, int row, int column) {
        if (indices(n, i, j, c) == row * p.in.width + column)
            result(n, row, column, c) += given(n, i, j, c);
    });
}

void reference_average_pool_gradient(const Problem& p, Tensors& tensors) {
    const MapView<const TestTensor> given(tensors.at("output_gradient"), p.layout);
    const MapView<TestTensor> result(tensors.at("input_gradient"), p.layout);
    // What the forward operator divides by: its outputs of a map of ones, where the padding has ones if it
    // counts.
    const PaddedAxis rows = padded_rows(p), columns = padded_columns(p);
    const auto counted = [](const PaddedAxis& axis, int begin, int extent, bool with_padding) {
        int count = 0;
        for (int at = begin; at < begin + extent && at < axis.length(); ++at)
            count += with_padding || axis.at(at) != PaddedAxis::nothing;
        return count;
    };
    for_each_pooled(p, batch_of(tensors), [&](int n, int i, int j, int c, int row, int column) {
        const int count = counted(rows, i * p.stride.height, p.kernel_size.height, p.count_padding) *
                          counted(columns, j * p.stride.width, p.kernel_size.width, p.count_padding);
        result(n, row, column, c) += given(n, i, j, c) / count;
    });
}

void reference_lp_pool_gradient(const Problem& p, Tensors& tensors) {
    const MapView<const TestTensor> given(tensors.at("output_gradient"), p.layout),
        output(tensors.at("output"), p.layout), input(tensors.at("input"), p.layout);
    const MapView<TestTensor> result(tensors.at("input_gradient"), p.layout);
    const double power = p.power.value();
    for_each_pooled(p, batch_of(tensors), [&](int n, int i, int j, int c, int row, int column) {
        const double x = input(n, row, column, c), z = output(n, i, j, c);
        if (x != 0 && z > 0)
            result(n, row, column, c) += given(n, i, j, c) * std::copysign(1.0, x) *
                                         std::pow(std::abs(x), power - 1) * std::pow(z, 1 - power);
    });
}

void reference_global_max_pool_gradient(const Problem& p, Tensors& tensors) {
    const MapView<const TestTensor> given(tensors.at("output_gradient"), p.layout),
        indices(tensors.at("indices"), p.layout);
    const MapView<TestTensor> result(tensors.at("input_gradient"), p.layout);
    for_each_element(result, [&](int n, int i, int j, int c) {
        if (indices(n, 0, 0, c) == i * p.in.width + j)
            result(n, i, j, c) = given(n, 0, 0, c);
    });
}

void reference_global_average_pool_gradient(const Problem& p, Tensors& tensors) {
    const MapView<const TestTensor> given(tensors.at("output_gradient"), p.layout);
    const MapView<TestTensor> result(tensors.at("input_gradient"), p.layout);
    for_each_element(result, [&](int n, int i, int j, int c) {
        result(n, i, j, c) = given(n, 0, 0, c) / (p.in.height * p.in.width);
    });
}

void reference_max_unpool_gradient(const Problem& p, Tensors& tensors) {
    const MapView<const TestTensor> given(tensors.at("output_gradient"), p.layout),
        indices(tensors.at("indices"), p.layout);
    const MapView<TestTensor> result(tensors.at("input_gradient"), p.layout);
    const Padding padding = resolved_padding(p);
    for_each_element(result, [&](int n, int i, int j, int c) {
        for (int a = 0; a < p.kernel_size.height; ++a)
            for (int b = 0; b < p.kernel_size.width; ++b) {
                const int row = i * p.stride.height + a - padding.top,
                          column = j * p.stride.width + b - padding.left;
                if (row >= 0 && row < given.height() && column >= 0 && column < given.width() &&
                    indices(n, i, j, c) == row * given.width() + column)
                    result(n, i, j, c) = given(n, row, column, c);
            }
    });
}

void reference_softmax_gradient(const Problem& p, Tensors& tensors) {
    const MapView<const TestTensor> given(tensors.at("output_gradient"), p.layout),
        output(tensors.at("output"), p.layout);
    const MapView<TestTensor> result(tensors.at("input_gradient"), p.layout);
    // The Jacobian: dZ[k] / dX[c] = Z[k] * ((k == c) - Z[c]).
    for_each_element(result, [&](int n, int i, int j, int c) {
        for (int k = 0; k < p.in.channels; ++k)
            result(n, i, j, c) +=
                given(n, i, j, k) * output(n, i, j, k) * ((k == c ? 1 : 0) - output(n, i, j, c));
    });
}

} // namespace lamina::testing
