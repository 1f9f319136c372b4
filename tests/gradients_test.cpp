// Gradients against what knows nothing of how they are computed: the adjoint identity, finite differences of
// the forward references, and Halide's own derivatives.
#include "tests/reference/reference.hpp"
#include "tests/support/random_operands.hpp"
#include "tests/support/random_problems.hpp"
#include "tests/support/test_kernel.hpp"

#include <Halide.h>

#include <catch2/catch.hpp>

#include <cmath>
#include <numeric>

using namespace lamina;
using namespace lamina::testing;

namespace {

Problem parsed(std::string_view text) {
    const ParsedProblem parsed = parse_problem(text);
    REQUIRE(parsed.error.view() == "");
    return parsed.problem;
}

double inner_product(const TestTensor& a, const TestTensor& b) {
    REQUIRE(a.shape == b.shape);
    return std::inner_product(a.data.begin(), a.data.end(), b.data.begin(), 0.0);
}

// The name of the operand that a gradient is of.
std::string operand_of(Gradient gradient) {
    constexpr std::string_view names[] = {"", "input", "kernel", "bias", "residual"};
    return std::string(names[static_cast<std::size_t>(gradient)]);
}

// Sums of products and nothing else, so that the operator is linear in its input and in its kernel.
Problem linear_problem(Random& random, Operator gradient) {
    Problem p = random_problem(random, gradient);
    p.epilogue = {};
    p.algorithm = Algorithm::exact; // so that sums of integers are
    return p;
}

void fill_with_reals(TestTensor& tensor, Random& random) {
    for (double& value : tensor.data)
        value = static_cast<double>(random.between(-1'000'000, 1'000'000)) / 300'000.0;
}

// The forward problem with every output that its gradients take.
Problem with_all_outputs(Problem p) {
    p = forward_problem(p);
    p.indices = p.op == Operator::max_pool || p.op == Operator::global_max_pool;
    p.preactivation = activation_of(p.epilogue).has_value();
    return p;
}

double loss(const Problem& forward, Tensors tensors, const TestTensor& output_gradient) {
    reference(forward, tensors);
    return inner_product(tensors.at("output"), output_gradient);
}

// The first difference between the reference of a gradient and the slope of the loss along its operand.
std::string difference_from_slope(const Problem& problem, Random& random) {
    const Problem forward = with_all_outputs(problem);
    const std::string name = operand_of(facts(problem.op).gradient);
    Tensors tensors = random_operands(forward);
    for (auto& [operand, tensor] : tensors)
        if (operand != "indices" && operand != "labels")
            fill_with_reals(tensor, random);
    const Tensors given = tensors;
    reference(forward, tensors);
    TestTensor& output_gradient = tensors["output_gradient"] = tensors.at("output");
    fill_with_reals(output_gradient, random);
    reference(problem, tensors);
    const TestTensor& gradient = tensors.at(name + "_gradient");
    for (int probe = 0; probe < 12; ++probe) {
        const auto at = static_cast<std::size_t>(random.below(static_cast<int>(gradient.data.size())));
        constexpr double step = 1e-6;
        Tensors ahead = given, behind = given;
        ahead.at(name).data[at] += step;
        behind.at(name).data[at] -= step;
        const double slope =
            (loss(forward, ahead, output_gradient) - loss(forward, behind, output_gradient)) / (2 * step);
        if (std::abs(slope - gradient.data[at]) > 1e-5 * (1 + std::abs(slope)))
            return Catch::StringMaker<double>::convert(gradient.data[at]) + " at " + std::to_string(at) +
                   ", where the loss's slope is " + Catch::StringMaker<double>::convert(slope);
    }
    return "";
}

} // namespace

TEST_CASE("Kernels of gradients are the adjoints of the forward kernels", "[gradients]") {
    Random random(31);
    for (const OperatorFacts& row : operator_table) {
        if (!row.has_kernel || (row.gradient != Gradient::input && row.gradient != Gradient::kernel))
            continue;
        for (int i = 0; i < 6; ++i) {
            const Problem problem = linear_problem(random, row.op), forward = forward_problem(problem);
            INFO(to_text(problem).view());
            Tensors tensors = random_operands(forward);
            tensors["output"] = outputs_of(forward, tensors).at("output");
            TestTensor& output_gradient = tensors["output_gradient"] = tensors.at("output");
            for (double& value : output_gradient.data)
                value = random.between(-3, 3);
            const std::string name = operand_of(row.gradient);
            const TestTensor gradient = outputs_of(problem, tensors).at(name + "_gradient");
            CHECK(inner_product(tensors.at("output"), output_gradient) ==
                  inner_product(tensors.at(name), gradient));
        }
    }
}

TEST_CASE("References of gradients are the slopes of the forward references", "[gradients]") {
    Random random(32);
    for (const OperatorFacts& row : operator_table)
        // The values that max_unpool puts in one place may be several, of which it takes one.
        for (int i = 0; i < 6 && row.gradient != Gradient::none && row.forward != Operator::max_unpool; ++i) {
            Problem problem = random_problem(random, row.op);
            INFO(to_text(problem).view());
            CHECK(difference_from_slope(problem, random) == "");
        }
}

TEST_CASE("Every activation's gradient is its slope", "[gradients]") {
    Random random(33);
    for (int step = static_cast<int>(Step::relu); step < static_cast<int>(std::size(step_names)); ++step)
        for (const char* order : {"bias,", "bias,residual,"}) {
            const Problem problem = parsed("cross_correlation_input_gradient in=1x5x5x3 out_channels=4 "
                                           "kernel_size=3 padding=1 epilogue=" +
                                           std::string(order) + std::string(step_names[step]));
            INFO(to_text(problem).view());
            CHECK(difference_from_slope(problem, random) == "");
        }
}

TEST_CASE("Kernels of gradients agree with Halide's own derivatives", "[gradients]") {
    const Problem problem =
        parsed("cross_correlation_input_gradient in=2x6x7x3 out_channels=5 kernel_size=3x2 epilogue=none");
    const Problem forward = forward_problem(problem);
    const Shape out = output_shape(forward);
    Random random(34);
    Tensors tensors = random_operands(forward);
    TestTensor& given = tensors["output_gradient"] =
        TestTensor({out.batch, out.height, out.width, out.channels});
    for (double& value : given.data)
        value = random.between(-3, 3);
    const auto buffer = [](const TestTensor& tensor) {
        Halide::Buffer<float> result(std::vector<int>(tensor.shape.rbegin(), tensor.shape.rend()));
        std::copy(tensor.data.begin(), tensor.data.end(), result.data());
        return result;
    };
    const Halide::Buffer<float> x = buffer(tensors.at("input")), w = buffer(tensors.at("kernel")),
                                g = buffer(given);
    Halide::Var c, i, j, d, n, a, b;
    Halide::Func input("input"), kernel("kernel"), sum("sum");
    input(c, j, i, n) = x(c, j, i, n);
    kernel(d, c, b, a) = w(d, c, b, a);
    const Halide::RDom r(0, forward.in.channels, 0, forward.kernel_size.width, 0, forward.kernel_size.height);
    sum(d, j, i, n) += kernel(d, r.x, r.y, r.z) * input(r.x, j + r.y, i + r.z, n);
    const Halide::Derivative derivative = Halide::propagate_adjoints(sum, g);
    const auto check = [&](Halide::Func gradient, const Halide::Buffer<float>& like, Gradient of) {
        Halide::Buffer<float> expected = Halide::Buffer<float>::make_with_shape_of(like);
        gradient.realize(expected);
        Problem p = problem;
        p.op = of == Gradient::input ? Operator::cross_correlation_input_gradient
                                     : Operator::cross_correlation_kernel_gradient;
        const std::vector<double> actual = outputs_of(p, tensors).at(operand_of(of) + "_gradient").data;
        CHECK(actual == std::vector<double>(expected.begin(), expected.end()));
    };
    check(derivative(input), x, Gradient::input);
    check(derivative(kernel), w, Gradient::kernel);
}
