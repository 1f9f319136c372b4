// The transforms of Winograd's minimal filtering algorithm, as the Toom-Cook construction gives them.
#pragma once

#include <vector>

namespace lamina {

using Matrix = std::vector<std::vector<double>>;

// F(outputs, extent): along one axis, so many outputs of a kernel of that extent from `points` = outputs +
// extent - 1 elements of the input, by as many products,
//
//     output * ((kernel * w) o (input * x)),   o element by element,
//
// from S. Winograd, Arithmetic Complexity of Computations, 1980; V. Lavin and S. Gray, Fast Algorithms for
// Convolutional Neural Networks, 2016, arXiv:1509.09308, whose matrices these are but for signs.
struct WinogradMatrices {
    int outputs, extent, points;
    Matrix input;  // points x points, of integers
    Matrix kernel; // points x extent
    Matrix output; // outputs x points, of integers
};

// Polynomials are told by their values at 0, 1, -1, 2, -2, as many of them as are needed, and at infinity:
// no more than most_winograd_points, beyond which fp32 loses more than half its digits.
inline constexpr int most_winograd_points = 6;

// outputs and extent are at least 1; outputs + extent - 1 at most most_winograd_points.
WinogradMatrices winograd_matrices(int outputs, int extent);

} // namespace lamina
