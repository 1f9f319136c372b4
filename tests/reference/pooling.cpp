#include "tests/reference/operators.hpp"
#include "tests/reference/padded_axis.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lamina::testing {

namespace {

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

// Calls `visit(row, column)` for the input positions of the window of output (i, j), row by row.
template <class Visit>
void for_each_in_window(const Problem& p, int i, int j, Visit visit) {
    const PaddedAxis rows = padded_rows(p), columns = padded_columns(p);
    for (int a = 0; a < p.kernel_size.height; ++a)
        for (int b = 0; b < p.kernel_size.width; ++b) {
            const int row = rows.at(i * p.stride.height + a * p.dilation.height);
            const int column = columns.at(j * p.stride.width + b * p.dilation.width);
            if (row != PaddedAxis::nothing && column != PaddedAxis::nothing)
                visit(row, column);
        }
}

// Positions of a window's extent that the padded axis has; what only ceil adds behind it never counts.
int positions_on(const PaddedAxis& axis, int begin, int extent) {
    int count = 0;
    for (int position = begin; position < begin + extent; ++position)
        count += position < axis.length();
    return count;
}

} // namespace

void reference_max_pool(const Problem& p, Tensors& tensors) {
    const MapView<const TestTensor> input(tensors.at("input"), p.layout);
    const MapView<TestTensor> output(tensors.at("output"), p.layout);
    for_each_element(output, [&](int n, int i, int j, int c) {
        double best = minus_infinity;
        int best_index = -1;
        for_each_in_window(p, i, j, [&](int row, int column) {
            const double value = input(n, row, column, c);
            if (best_index >= 0 && value <= best)
                return;
            best = value;
            best_index = row * p.in.width + column;
        });
        output(n, i, j, c) = best;
        if (p.indices)
            MapView<TestTensor>(tensors.at("indices"), p.layout)(n, i, j, c) = best_index;
    });
}

void reference_average_pool(const Problem& p, Tensors& tensors) {
    const MapView<const TestTensor> input(tensors.at("input"), p.layout);
    const MapView<TestTensor> output(tensors.at("output"), p.layout);
    const PaddedAxis rows = padded_rows(p), columns = padded_columns(p);
    for_each_element(output, [&](int n, int i, int j, int c) {
        double sum = 0;
        int inside = 0;
        for_each_in_window(p, i, j, [&](int row, int column) {
            sum += input(n, row, column, c);
            ++inside;
        });
        const int with_padding = positions_on(rows, i * p.stride.height, p.kernel_size.height) *
                                 positions_on(columns, j * p.stride.width, p.kernel_size.width);
        output(n, i, j, c) = sum / (p.count_padding ? with_padding : inside);
    });
}

void reference_lp_pool(const Problem& p, Tensors& tensors) {
    const MapView<const TestTensor> input(tensors.at("input"), p.layout);
    const MapView<TestTensor> output(tensors.at("output"), p.layout);
    const double power = p.power.value();
    for_each_element(output, [&](int n, int i, int j, int c) {
        double sum = 0;
        for_each_in_window(p, i, j, [&](int row, int column) {
            sum += std::pow(std::abs(input(n, row, column, c)), power);
        });
        output(n, i, j, c) = std::pow(sum, 1 / power);
    });
}

void reference_global_max_pool(const Problem& p, Tensors& tensors) {
    const MapView<const TestTensor> input(tensors.at("input"), p.layout);
    const MapView<TestTensor> output(tensors.at("output"), p.layout);
    for_each_element(output, [&](int n, int, int, int c) {
        int best = 0;
        const auto value = [&](int index) { return input(n, index / p.in.width, index % p.in.width, c); };
        for (int index = 1; index < p.in.height * p.in.width; ++index)
            best = value(index) > value(best) ? index : best;
        output(n, 0, 0, c) = value(best);
        if (p.indices)
            MapView<TestTensor>(tensors.at("indices"), p.layout)(n, 0, 0, c) = best;
    });
}

void reference_global_average_pool(const Problem& p, Tensors& tensors) {
    const MapView<const TestTensor> input(tensors.at("input"), p.layout);
    const MapView<TestTensor> output(tensors.at("output"), p.layout);
    for_each_element(input, [&](int n, int i, int j, int c) { output(n, 0, 0, c) += input(n, i, j, c); });
    for (double& value : tensors.at("output").data)
        value /= p.in.height * p.in.width;
}

void reference_max_unpool(const Problem& p, Tensors& tensors) {
    const MapView<const TestTensor> input(tensors.at("input"), p.layout);
    const MapView<const TestTensor> indices(tensors.at("indices"), p.layout);
    const MapView<TestTensor> output(tensors.at("output"), p.layout);
    const Padding padding = resolved_padding(p);
    for_each_element(input, [&](int n, int i, int j, int c) {
        const int index = static_cast<int>(indices(n, i, j, c));
        const int row = index / output.width(), column = index % output.width();
        const int top = i * p.stride.height - padding.top, left = j * p.stride.width - padding.left;
        const bool is_in_window = row >= top && row < top + p.kernel_size.height && column >= left &&
                                  column < left + p.kernel_size.width;
        if (index >= 0 && row < output.height() && is_in_window)
            output(n, row, column, c) = input(n, i, j, c);
    });
}

} // namespace lamina::testing
