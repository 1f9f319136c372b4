#include "generators/winograd_matrices.hpp"

#include <cmath>
#include <cstddef>

namespace lamina {

namespace {

constexpr double finite_points[] = {0, 1, -1, 2, -2};
static_assert(std::size(finite_points) + 1 == most_winograd_points);

Matrix zeros(int rows, int columns) {
    return Matrix(static_cast<std::size_t>(rows), std::vector<double>(static_cast<std::size_t>(columns)));
}

// Coefficients of `factor` * (x - root), the lowest first.
std::vector<double> times_root(const std::vector<double>& factor, double root) {
    std::vector<double> product(factor.size() + 1);
    for (std::size_t i = 0; i < factor.size(); ++i) {
        product[i] -= root * factor[i];
        product[i + 1] += factor[i];
    }
    return product;
}

// The product of x - point over the first `count` points but number `left_out`.
std::vector<double> polynomial(std::size_t count, std::size_t left_out) {
    std::vector<double> product{1};
    for (std::size_t i = 0; i < count; ++i)
        if (i != left_out)
            product = times_root(product, finite_points[i]);
    return product;
}

double value_at(const std::vector<double>& coefficients, double x) {
    double value = 0;
    for (std::size_t i = coefficients.size(); i-- > 0;)
        value = value * x + coefficients[i];
    return value;
}

} // namespace

WinogradMatrices winograd_matrices(int outputs, int extent) {
    const int points = outputs + extent - 1;
    WinogradMatrices m{
        outputs, extent, points, zeros(points, points), zeros(points, extent), zeros(outputs, points)};
    const auto finite = static_cast<std::size_t>(points - 1);
    for (std::size_t j = 0; j <= finite; ++j) {
        const std::vector<double> others = polynomial(finite, j);
        for (std::size_t i = 0; i < others.size(); ++i)
            m.input[j][i] = others[i];
    }
    for (std::size_t j = 0; j < finite; ++j) {
        const double point = finite_points[j], scale = value_at(polynomial(finite, j), point);
        for (std::size_t i = 0; i < m.kernel[j].size(); ++i)
            m.kernel[j][i] = std::pow(point, i) / scale;
        for (std::size_t i = 0; i < m.output.size(); ++i)
            m.output[i][j] = std::pow(point, i);
    }
    m.kernel[finite].back() = 1;
    m.output.back()[finite] = 1;
    return m;
}

} // namespace lamina
