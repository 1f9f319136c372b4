#include "tests/support/tolerance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>

namespace lamina::testing {

namespace {

constexpr double epsilon = 0x1p-23; // of fp32

constexpr std::string_view average = "average", powers = "powers", softmax = "softmax", slope = "leaky_relu",
                           sixths = "hard_swish", exponentials = "silu, sigmoid, tanh", erf = "gelu",
                           quotients = "sums of quotients", rounded_sums = "sums of rounded products",
                           cross_entropy = "softmax_cross_entropy",
                           cross_entropy_gradient = "softmax_cross_entropy_input_gradient", adam = "adam",
                           winograd = "Winograd's transforms";

// The absolute parts allow for a step behind the activation that cancels it; sums of the operands that have
// an exponential behind them are of the order of ten.
constexpr Tolerance table[] = {
    {average, epsilon, 0, "one division, or a product with the divisor's rounded inverse"},
    {powers, 32 * epsilon, 0, "pow() of each element and of the sum, by polynomials"},
    {softmax, 16 * epsilon, 1e-37,
     "one exponential over a sum of them, by polynomials; the smallest underflow"},
    {slope, 2 * epsilon, 4 * epsilon, "the slope is rounded to fp32, and so is its product"},
    {sixths, 4 * epsilon, 8 * epsilon, "a sixth is rounded to fp32, and so are two products"},
    {exponentials, 16 * epsilon, 32 * epsilon, "exponential by a polynomial, then a division"},
    {erf, 16 * epsilon, 32 * epsilon, "erf by a polynomial, whose error the argument multiplies"},
    {quotients, 8 * epsilon, 64 * epsilon, "each term is rounded, and terms of both signs cancel"},
    {cross_entropy, 16 * epsilon, 64 * epsilon,
     "a sum of exponentials and its logarithm, by polynomials, from which the label's input is taken"},
    {cross_entropy_gradient, 16 * epsilon, 128 * epsilon,
     "a probability from which one is taken, times output gradients of up to nine"},
    {adam, 16 * epsilon, 64 * epsilon, "rounded rates, a root and a quotient; terms of both signs cancel"},
    {winograd, 0, 16 * epsilon,
     "thirds in the kernel's transform are rounded, and partial sums exceed the sum; for each unit "
     "of the largest sum"},
    {rounded_sums, 64 * epsilon, 0.9e-4,
     "slopes, or what a depthwise activation gives, are rounded, and products of dozens of them cancel"},
};

const Tolerance& find(std::string_view what) {
    for (const Tolerance& row : table)
        if (row.what == what)
            return row;
    throw std::logic_error("no tolerance for " + std::string(what));
}

Tolerance of_epilogue(const Epilogue& epilogue) {
    for (int i = 0; i < epilogue.count; ++i)
        switch (epilogue.steps[static_cast<std::size_t>(i)]) {
        case Step::leaky_relu:
            return find(slope);
        case Step::hard_swish:
            return find(sixths);
        case Step::silu:
        case Step::sigmoid:
        case Step::tanh:
            return find(exponentials);
        case Step::gelu:
            return find(erf);
        default:
            break;
        }
    return {"exact", 0, 0, ""};
}

// Of sums whose terms have the activation's slope as a factor. Integers are exact slopes of relu, relu6,
// sigmoid and tanh, which are told by the output.
Tolerance of_slope(const Epilogue& epilogue) {
    const Step activation = *activation_of(epilogue);
    const bool is_exact = slope_operand(epilogue) == "output" && activation != Step::leaky_relu;
    const bool is_exact_anyway = activation == Step::relu || activation == Step::relu6;
    return is_exact || is_exact_anyway ? Tolerance{"exact", 0, 0, ""} : find(rounded_sums);
}

// Transforms to 0, 1, -1 and infinity have halves at most.
bool rounds_sums(const Problem& p, std::string_view schedule) {
    const Size kernel = as_convolution(p).kernel_size;
    const bool has_four_points =
        std::max(kernel.height, kernel.width) <= 3 && schedule.find("outputs:2") != std::string_view::npos;
    return schedule.starts_with("winograd") && p.algorithm != Algorithm::exact && !has_four_points;
}

Problem without_activation(Problem p) {
    p.epilogue = {};
    return p;
}

bool is_close(double expected, double actual, const Tolerance& tolerance) {
    if (expected == actual)
        return true;
    return std::abs(expected - actual) <= tolerance.relative * std::abs(expected) + tolerance.absolute;
}

} // namespace

std::span<const Tolerance> tolerance_table() {
    return table;
}

Tolerance tolerance_of(const Problem& p) {
    if (takes_slope(p))
        return of_slope(p.epilogue);
    switch (p.op) {
    case Operator::separable_convolution:
        return tolerance_of(depthwise_part(p)).relative > 0 ? find(rounded_sums) : of_epilogue(p.epilogue);
    case Operator::average_pool_input_gradient:
    case Operator::lp_pool_input_gradient:
        return find(quotients);
    case Operator::global_average_pool_input_gradient:
        return find(average);
    case Operator::average_pool:
    case Operator::global_average_pool:
        return find(average);
    case Operator::softmax:
        return find(softmax);
    case Operator::softmax_cross_entropy:
        return find(cross_entropy);
    case Operator::softmax_cross_entropy_input_gradient:
        return find(cross_entropy_gradient);
    case Operator::mean_squared_error: // a power of two divides exactly
    case Operator::mean_squared_error_input_gradient:
        return std::has_single_bit(static_cast<unsigned>(p.in.channels)) ? Tolerance{"exact", 0, 0, ""}
                                                                         : find(average);
    case Operator::adam:
        return find(adam);
    case Operator::lp_pool: // the square root of fp32 is correctly rounded
        return p.power.millionths == 1'000'000 || p.power.millionths == 2'000'000
                   ? Tolerance{"exact", 0, 0, ""}
                   : find(powers);
    default:
        return of_epilogue(p.epilogue);
    }
}

Tolerance tolerance_of(const Problem& p, std::string_view schedule) {
    const Tolerance own = tolerance_of(p);
    if (!rounds_sums(p, schedule))
        return own;
    // Of operands up to 4.
    constexpr double largest_product = 16;
    const Problem sums = as_convolution(p);
    const double products =
        1.0 * sums.kernel_size.height * sums.kernel_size.width * sums.in.channels / sums.groups;
    const Tolerance& transforms = find(winograd);
    return {own.relative == 0 ? transforms.what : own.what, own.relative,
            own.absolute + transforms.absolute * products * largest_product, transforms.reason};
}

std::string difference(const Problem& p, std::string_view operand, const TestTensor& expected,
                       const TestTensor& actual, std::string_view schedule) {
    if (expected.shape != actual.shape)
        return fmt::format("{}: the shapes differ", operand);
    Tolerance tolerance{"exact", 0, 0, ""};
    if (operand == main_result(p).name || p.op == Operator::adam)
        tolerance = tolerance_of(p, schedule);
    else if (operand == "preactivation")
        tolerance = tolerance_of(without_activation(p), schedule);
    std::string first;
    std::size_t wrong = 0;
    for (std::size_t at = 0; at < expected.data.size(); ++at) {
        // What is exact in fp64 but has more bits than fp32 is compared as the nearest fp32 value.
        const double rounded =
            tolerance.relative == 0 ? static_cast<float>(expected.data[at]) : expected.data[at];
        if (is_close(rounded, actual.data[at], tolerance))
            continue;
        if (wrong++ > 0)
            continue;
        std::string place;
        std::size_t rest = at;
        for (std::size_t d = expected.shape.size(); d-- > 0;) {
            const auto extent = static_cast<std::size_t>(expected.shape[d]);
            place = fmt::format("{}{}{}", rest % extent, place.empty() ? "" : ",", place);
            rest /= extent;
        }
        first = fmt::format("{}[{}] is {}, must be {}", operand, place, actual.data[at], rounded);
    }
    if (wrong == 0)
        return "";
    return fmt::format("{} ({} of {} elements are wrong; tolerance: {})", first, wrong, expected.data.size(),
                       tolerance.what);
}

} // namespace lamina::testing
