// The references themselves: by hand, and against each other.
#include "tests/reference/reference.hpp"

#include "tests/reference/padded_axis.hpp"
#include "tests/support/random_operands.hpp"
#include "tests/support/random_problems.hpp"

#include <catch2/catch.hpp>

#include <cmath>

using namespace lamina;
using namespace lamina::testing;

namespace {

using Values = std::vector<double>;

Problem parsed(std::string_view text) {
    const ParsedProblem parsed = parse_problem(text);
    REQUIRE(parsed.error.view() == "");
    return parsed.problem;
}

// The references' outputs of operands given by their values alone.
Tensors results(std::string_view text, const std::map<std::string, Values>& values) {
    const Problem problem = parsed(text);
    Tensors tensors;
    for (const Operand& operand : operands(problem))
        if (operand.direction == Direction::in) {
            TestTensor& tensor = tensors[std::string(operand.name)] = tensor_for(operand, 1);
            const Values& data = values.at(std::string(operand.name));
            REQUIRE(data.size() == tensor.data.size());
            tensor.data = data;
        }
    reference(problem, tensors);
    return tensors;
}

Values output(std::string_view text, const std::map<std::string, Values>& values) {
    return results(text, values).at("output").data;
}

Values sources(const PaddedAxis& axis) {
    Values list;
    for (int position = 0; position < axis.length(); ++position)
        list.push_back(axis.at(position));
    return list;
}

double inner_product(const TestTensor& a, const TestTensor& b) {
    REQUIRE(a.data.size() == b.data.size());
    double sum = 0;
    for (std::size_t i = 0; i < a.data.size(); ++i)
        sum += a.data[i] * b.data[i];
    return sum;
}

Problem adjoint_of(const Problem& forward) {
    Problem adjoint = default_problem(Operator::transposed_convolution);
    adjoint.in = output_shape(forward);
    adjoint.out_channels = forward.in.channels;
    adjoint.kernel_size = forward.kernel_size;
    adjoint.stride = forward.stride;
    adjoint.dilation = forward.dilation;
    adjoint.padding = forward.padding;
    adjoint.groups = forward.groups;
    adjoint.layout = forward.layout;
    adjoint.epilogue = {};
    // The positions at the input's end that no window reaches.
    const Shape back = output_shape(adjoint);
    adjoint.output_padding = {forward.in.height - back.height, forward.in.width - back.width};
    return adjoint;
}

// W[a,b,c,d] of the one is W[a,b,d,c] of the other, the third index counted within its group.
TestTensor transposed_kernel(const Problem& forward, const TestTensor& kernel, const Problem& adjoint) {
    TestTensor transposed = tensor_for(kernel_operand(adjoint), 1);
    const int in = forward.in.channels, out = forward.out_channels;
    const int group_in = in / forward.groups, group_out = out / forward.groups;
    for (int tap = 0; tap < forward.kernel_size.height * forward.kernel_size.width; ++tap)
        for (int c = 0; c < in; ++c)
            for (int d = c / group_in * group_out; d < (c / group_in + 1) * group_out; ++d)
                transposed.data.at(static_cast<std::size_t>((tap * group_out + d % group_out) * in + c)) =
                    kernel.data.at(static_cast<std::size_t>((tap * group_in + c % group_in) * out + d));
    return transposed;
}

const Values nine{1, 2, 3, 4, 5, 6, 7, 8, 9};

} // namespace

TEST_CASE("Every operator has a reference", "[reference]") {
    for (const OperatorFacts& row : operator_table) {
        INFO(row.name);
        CHECK(has_reference(row.op));
    }
}

TEST_CASE("Padding modes place the input's elements as defined", "[reference]") {
    CHECK(sources({3, 2, 1, PaddingMode::zeros}) == Values{-1, -1, 0, 1, 2, -1});
    CHECK(sources({3, 2, 2, PaddingMode::reflect}) == Values{2, 1, 0, 1, 2, 1, 0});
    CHECK(sources({3, 2, 1, PaddingMode::replicate}) == Values{0, 0, 0, 1, 2, 2});
    CHECK(sources({3, 3, 2, PaddingMode::circular}) == Values{0, 1, 2, 0, 1, 2, 0, 1});
}

TEST_CASE("Reference of cross_correlation by hand", "[reference]") {
    CHECK(output("cross_correlation in=1x3x3x1 out_channels=1 kernel_size=2",
                 {{"input", nine}, {"kernel", {1, 2, 3, 4}}, {"bias", {100}}}) == Values{137, 147, 167, 177});
    CHECK(output(
              "cross_correlation in=1x3x3x1 out_channels=1 kernel_size=2 dilation=2 padding=1,0,0,0 stride=2 "
              "epilogue=none",
              {{"input", nine}, {"kernel", {1, 2, 3, 4}}}) == Values{3 * 4 + 4 * 6});
}

TEST_CASE("Reference of grouped cross_correlation by hand", "[reference]") {
    CHECK(output("cross_correlation in=1x1x1x4 out_channels=2 kernel_size=1 groups=2 epilogue=none",
                 {{"input", {1, 2, 3, 4}}, {"kernel", {10, 1000, 100, 10000}}}) == Values{210, 43000});
}

TEST_CASE("Reference of convolution by hand", "[reference]") {
    CHECK(output("convolution in=1x3x3x1 out_channels=1 kernel_size=2 epilogue=none",
                 {{"input", nine}, {"kernel", {1, 2, 3, 4}}}) == Values{23, 33, 53, 63});
}

TEST_CASE("Reference of transposed_convolution by hand", "[reference]") {
    CHECK(output("transposed_convolution in=1x1x2x1 out_channels=1 kernel_size=1x3 stride=1x2 epilogue=none "
                 "output_padding=0x1",
                 {{"input", {1, 10}}, {"kernel", {1, 2, 3}}}) == Values{1, 2, 13, 20, 30, 0});
}

TEST_CASE("Reference of dense reads the features in memory order", "[reference]") {
    const std::map<std::string, Values> values{{"input", {1, 2, 3, 4}}, {"kernel", {1, 10, 100, 1000}}};
    CHECK(output("dense in=1x1x2x2 out_channels=1 epilogue=none", values) == Values{4321});
    CHECK(output("dense in=1x1x2x2 out_channels=1 epilogue=none layout=nchw", values) == Values{4321});
}

TEST_CASE("Reference of max_pool by hand: the first maximum and its index", "[reference]") {
    const Tensors ties =
        results("max_pool in=1x2x3x1 kernel_size=2 indices=yes", {{"input", {1, 5, 5, 5, 1, 1}}});
    CHECK(ties.at("output").data == Values{5, 5});
    CHECK(ties.at("indices").data == Values{1, 1});
}

TEST_CASE("Reference of average_pool divides as PyTorch does", "[reference]") {
    const std::string keys = "average_pool in=1x1x4x1 kernel_size=1x3 stride=1x2 padding=0x1 ceil=yes";
    CHECK(output(keys, {{"input", {3, 6, 9, 12}}}) == Values{4.5, 9, 12});
    CHECK(output(keys + " count_padding=yes", {{"input", {3, 6, 9, 12}}}) == Values{3, 9, 6});
}

TEST_CASE("Reference of lp_pool by hand", "[reference]") {
    CHECK(output("lp_pool in=1x1x2x1 kernel_size=1x2", {{"input", {3, -4}}}) == Values{5});
    CHECK(output("lp_pool in=1x1x2x1 kernel_size=1x2 power=1", {{"input", {3, -4}}}) == Values{7});
}

TEST_CASE("References of global pooling by hand", "[reference]") {
    CHECK(output("global_max_pool in=1x1x2x2", {{"input", {-3, 1, -4, 2}}}) == Values{-3, 2});
    CHECK(output("global_average_pool in=1x1x2x2", {{"input", {-3, 1, -4, 2}}}) == Values{-3.5, 1.5});
}

TEST_CASE("Reference of max_unpool ignores what lies outside an element's window", "[reference]") {
    CHECK(output("max_unpool in=1x1x2x1 kernel_size=1x2 stride=1x2",
                 {{"input", {7, 8}}, {"indices", {1, 2}}}) == Values{0, 7, 8, 0});
    CHECK(output("max_unpool in=1x1x2x1 kernel_size=1x2 stride=1x2",
                 {{"input", {7, 8}}, {"indices", {2, -1}}}) == Values{0, 0, 0, 0});
}

TEST_CASE("Reference of softmax by hand", "[reference]") {
    const Values shares = output("softmax in=1x1x1x2", {{"input", {1000, 1000 + std::log(3.0)}}});
    CHECK(shares[0] == Approx(0.25));
    CHECK(shares[1] == Approx(0.75));
}

TEST_CASE("References of losses by hand", "[reference]") {
    const Values losses =
        output("softmax_cross_entropy in=1x1x3x2",
               {{"input", {1000, 1000 + std::log(3.0), 0, 0, 5, 5}}, {"labels", {0, 1, 7}}});
    CHECK(losses[0] == Approx(std::log(4.0)));
    CHECK(losses[1] == Approx(std::log(2.0)));
    CHECK(losses[2] == Approx(std::log(2.0))); // as if of the last channel
    CHECK(output("mean_squared_error in=1x1x2x2", {{"input", {1, 2, 3, 4}}, {"target", {1, 0, 0, 0}}}) ==
          Values{2, 12.5});
    const Values slopes = results("softmax_cross_entropy_input_gradient in=1x1x1x2",
                                  {{"input", {0, std::log(3.0)}}, {"labels", {1}}, {"output_gradient", {8}}})
                              .at("input_gradient")
                              .data;
    CHECK(slopes[0] == Approx(2));
    CHECK(slopes[1] == Approx(-2));
    CHECK(results("mean_squared_error_input_gradient in=1x1x1x2",
                  {{"input", {3, 5}}, {"target", {1, 8}}, {"output_gradient", {10}}})
              .at("input_gradient")
              .data == Values{20, -30});
}

TEST_CASE("References of training's steps by hand", "[reference]") {
    const Tensors sgd =
        results("sgd in=1x1x1x1",
                {{"weights", {8}}, {"gradient", {3}}, {"velocity", {4}}, {"rates", {0.5, 0.25, 0.125}}});
    CHECK(sgd.at("updated_velocity").data == Values{5});
    CHECK(sgd.at("updated_weights").data == Values{5.5});
    // Adam's first step goes by its step size against the gradient's sign, whatever the gradient.
    const Tensors adam = results("adam in=1x1x1x2", {{"weights", {1, 1}},
                                                     {"gradient", {0.001, -500}},
                                                     {"first_moment", {0, 0}},
                                                     {"second_moment", {0, 0}},
                                                     {"rates", {0.01 / (1 - 0.9), 0.9, 0.999, 1000, 0, 0}}});
    CHECK(adam.at("updated_weights").data[0] == Approx(0.99));
    CHECK(adam.at("updated_weights").data[1] == Approx(1.01));
    CHECK(adam.at("updated_first_moment").data[1] == Approx(-50));
    CHECK(adam.at("updated_second_moment").data[1] == Approx(250));
}

TEST_CASE("References of activations at known points", "[reference]") {
    const auto at = [](const std::string& steps, double x) {
        return output("cross_correlation in=1x1x1x1 out_channels=1 kernel_size=1 epilogue=" + steps,
                      {{"input", {x}}, {"kernel", {1}}, {"bias", {1}}, {"residual", {-10}}})[0];
    };
    CHECK(at("relu", -2) == 0);
    CHECK(at("relu6", 7) == 6);
    CHECK(at("leaky_relu:0.125", -8) == -1);
    CHECK(at("silu", 1) == Approx(0.7310585786));
    CHECK(at("gelu", 1) == Approx(0.8413447461));
    CHECK(at("sigmoid", 0) == 0.5);
    CHECK(at("tanh", 1) == Approx(0.7615941560));
    CHECK(at("hard_swish", 1) == Approx(2.0 / 3));
    CHECK(at("hard_swish", -4) == 0);
    CHECK(at("bias,relu,residual", 4) == -5);
    CHECK(at("residual,relu,bias", 4) == 1);
}

TEST_CASE("Reference of convolution is cross_correlation with a flipped kernel", "[reference]") {
    Random random(3);
    for (int i = 0; i < 30; ++i) {
        Problem problem = random_problem(random, Operator::convolution);
        INFO(to_text(problem).view());
        Tensors tensors = random_operands(problem), flipped = tensors;
        const std::size_t taps =
            static_cast<std::size_t>(problem.kernel_size.height * problem.kernel_size.width);
        const std::size_t tap_size = tensors.at("kernel").data.size() / taps;
        for (std::size_t at = 0; at < tensors.at("kernel").data.size(); ++at)
            flipped.at("kernel").data[(taps - 1 - at / tap_size) * tap_size + at % tap_size] =
                tensors.at("kernel").data[at];
        reference_sums(problem, tensors);
        problem.op = Operator::cross_correlation;
        reference_sums(problem, flipped);
        CHECK(tensors.at("output").data == flipped.at("output").data);
    }
}

TEST_CASE("References of cross_correlation and transposed_convolution are adjoint", "[reference]") {
    Random random(4);
    for (int i = 0; i < 60; ++i) {
        Problem forward = random_problem(random, Operator::cross_correlation);
        forward.in.batch = 2;
        forward.padding_mode = PaddingMode::zeros;
        forward.padding = resolved_padding(forward);
        forward.epilogue = {};
        const Problem adjoint = adjoint_of(forward);
        INFO(to_text(forward).view() << "\n" << to_text(adjoint).view());
        REQUIRE(broken_rule(adjoint) == Rule::none);
        Tensors tensors = random_operands(forward), transposed = random_operands(adjoint);
        transposed.at("kernel") = transposed_kernel(forward, tensors.at("kernel"), adjoint);
        reference(forward, tensors);
        reference(adjoint, transposed);
        CHECK(inner_product(tensors.at("output"), transposed.at("input")) ==
              inner_product(tensors.at("input"), transposed.at("output")));
    }
}
