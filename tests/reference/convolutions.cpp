#include "tests/reference/operators.hpp"
#include "tests/reference/padded_axis.hpp"
#include "tests/reference/reference.hpp"

namespace lamina::testing {

namespace {

// W[a, b, c, d], c counted within its group.
double weight(const Problem& p, const TestTensor& kernel, int a, int b, int c, int d) {
    const int index = ((a * p.kernel_size.width + b) * (p.in.channels / p.groups) + c) * p.out_channels + d;
    return kernel.data.at(static_cast<std::size_t>(index));
}

int group_of(const Problem& p, int out_channel) {
    return out_channel / (p.out_channels / p.groups);
}

// The gather that both correlations share: W[a, b] meets the input `row_of(a)`, `column_of(b)` elements of
// the kernel away from the window's begin.
template <class RowOf, class ColumnOf>
void gather(const Problem& p, Tensors& tensors, RowOf row_of, ColumnOf column_of) {
    const MapView<const TestTensor> input(tensors.at("input"), p.layout);
    const MapView<TestTensor> output(tensors.at("output"), p.layout);
    const TestTensor& kernel = tensors.at("kernel");
    const PaddedAxis rows = padded_rows(p), columns = padded_columns(p);
    const int group_in = p.in.channels / p.groups;
    for_each_element(output, [&](int n, int i, int j, int d) {
        double sum = 0;
        for (int a = 0; a < p.kernel_size.height; ++a)
            for (int b = 0; b < p.kernel_size.width; ++b) {
                const int row = rows.at(i * p.stride.height + row_of(a) * p.dilation.height);
                const int column = columns.at(j * p.stride.width + column_of(b) * p.dilation.width);
                if (row == PaddedAxis::nothing || column == PaddedAxis::nothing)
                    continue;
                for (int c = 0; c < group_in; ++c)
                    sum +=
                        input(n, row, column, group_of(p, d) * group_in + c) * weight(p, kernel, a, b, c, d);
            }
        output(n, i, j, d) = sum;
    });
}

} // namespace

void reference_cross_correlation(const Problem& p, Tensors& tensors) {
    gather(
        p, tensors, [](int a) { return a; }, [](int b) { return b; });
}

void reference_convolution(const Problem& p, Tensors& tensors) {
    gather(
        p, tensors, [&](int a) { return p.kernel_size.height - 1 - a; },
        [&](int b) { return p.kernel_size.width - 1 - b; });
}

void reference_transposed_convolution(const Problem& p, Tensors& tensors) {
    const MapView<const TestTensor> input(tensors.at("input"), p.layout);
    const MapView<TestTensor> output(tensors.at("output"), p.layout);
    const TestTensor& kernel = tensors.at("kernel");
    const Padding padding = resolved_padding(p);
    const int group_in = p.in.channels / p.groups, group_out = p.out_channels / p.groups;
    for_each_element(input, [&](int n, int i, int j, int c) {
        const int first_out = c / group_in * group_out;
        for (int a = 0; a < p.kernel_size.height; ++a)
            for (int b = 0; b < p.kernel_size.width; ++b) {
                const int row = i * p.stride.height + a * p.dilation.height - padding.top;
                const int column = j * p.stride.width + b * p.dilation.width - padding.left;
                if (row < 0 || row >= output.height() || column < 0 || column >= output.width())
                    continue;
                for (int d = first_out; d < first_out + group_out; ++d)
                    output(n, row, column, d) += input(n, i, j, c) * weight(p, kernel, a, b, c % group_in, d);
            }
    });
}

void reference_separable_convolution(const Problem& p, Tensors& tensors) {
    Tensors depthwise{{"input", tensors.at("input")}, {"kernel", tensors.at("depthwise_kernel")}};
    if (p.depthwise_epilogue.has(Step::bias))
        depthwise["bias"] = tensors.at("depthwise_bias");
    reference(depthwise_part(p), depthwise);
    Tensors pointwise{{"input", depthwise.at("output")}, {"kernel", tensors.at("kernel")}};
    reference_sums(pointwise_part(p), pointwise);
    tensors.at("output") = pointwise.at("output");
}

void reference_pooled_cross_correlation(const Problem& p, Tensors& tensors) {
    Tensors convolution = tensors;
    reference(as_convolution(p), convolution);
    Tensors pool{{"input", convolution.at("output")}};
    reference(pooling_part(p), pool);
    tensors.at("output") = pool.at("output");
}

void reference_dense(const Problem& p, Tensors& tensors) {
    const TestTensor &input = tensors.at("input"), &kernel = tensors.at("kernel");
    TestTensor& output = tensors.at("output");
    const auto features = static_cast<std::size_t>(dense_features(p));
    const auto outputs = static_cast<std::size_t>(p.out_channels);
    for (std::size_t at = 0; at < output.data.size(); ++at) {
        const std::size_t n = at / outputs, d = at % outputs;
        for (std::size_t f = 0; f < features; ++f)
            output.data[at] += input.data.at(n * features + f) * kernel.data.at(f * outputs + d);
    }
}

} // namespace lamina::testing
