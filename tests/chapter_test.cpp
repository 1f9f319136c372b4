// Properties of the operators that the CNN chapter states, on compiled kernels.
#include "tests/support/test_kernel.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace lamina;
using namespace lamina::testing;

namespace {

Problem parsed(std::string_view text) {
    const ParsedProblem parsed = parse_problem(text);
    REQUIRE(parsed.error.view() == "");
    return parsed.problem;
}

TestTensor tensor(std::vector<int> shape, std::vector<double> data) {
    TestTensor tensor(std::move(shape));
    REQUIRE(tensor.data.size() == data.size());
    tensor.data = std::move(data);
    return tensor;
}

std::vector<double> output(std::string_view problem, const Tensors& operands) {
    return outputs_of(parsed(problem), operands).at("output").data;
}

// The chapter's example: three channels of 2 x 2, interleaved as NHWC and HWIO want them.
Tensors worked_example() {
    return {{"input", tensor({1, 2, 2, 3}, {1, 5, 9, 2, 6, 10, 3, 7, 11, 4, 8, 12})},
            {"kernel", tensor({2, 2, 3, 1}, {-1, -2, -3, -1, 2, 3, 1, -2, -3, 1, 2, 3})}};
}

const std::vector<double> small{1, 2, 0, -1, 3, 1};                    // 2 x 3
const std::vector<double> large{2, -1, 3, 0, 1, 4, 1, -2, 5, 2, 0, 1}; // 3 x 4

// The sums of all positions where `kernel` meets `input` at all.
std::vector<double> full(std::string_view op, const TestTensor& input, const TestTensor& kernel) {
    const auto& in = input.shape;
    const auto& k = kernel.shape;
    Text text(op);
    text << " in=1x" << in[1] << "x" << in[2] << "x1 out_channels=1 kernel_size=" << k[0] << "x" << k[1]
         << " padding=" << k[0] - 1 << "x" << k[1] - 1 << " epilogue=none";
    return output(text, {{"input", input}, {"kernel", kernel}});
}

} // namespace

TEST_CASE("The chapter's worked example: 14 by cross-correlation, -14 by convolution", "[chapter]") {
    const std::string keys = " in=1x2x2x3 out_channels=1 kernel_size=2 epilogue=none";
    CHECK(output("cross_correlation" + keys, worked_example()) == std::vector<double>{14});
    CHECK(output("convolution" + keys, worked_example()) == std::vector<double>{-14});
}

TEST_CASE("Convolution is commutative", "[chapter]") {
    CHECK(full("convolution", tensor({1, 3, 4, 1}, large), tensor({2, 3, 1, 1}, small)) ==
          full("convolution", tensor({1, 2, 3, 1}, small), tensor({3, 4, 1, 1}, large)));
}

TEST_CASE("Cross-correlation is not commutative: swapping its operands flips its result", "[chapter]") {
    const auto one = full("cross_correlation", tensor({1, 3, 4, 1}, large), tensor({2, 3, 1, 1}, small));
    auto other = full("cross_correlation", tensor({1, 2, 3, 1}, small), tensor({3, 4, 1, 1}, large));
    CHECK(one != other);
    std::reverse(other.begin(), other.end());
    CHECK(one == other);
}

TEST_CASE("Cross-correlation of a shifted input is the shifted output", "[chapter]") {
    const std::string problem =
        "cross_correlation in=1x1x8x1 out_channels=1 kernel_size=1x3 padding=0,0,2,2 epilogue=none";
    const TestTensor kernel = tensor({1, 3, 1, 1}, {1, -2, 3});
    auto here =
        output(problem, {{"input", tensor({1, 1, 8, 1}, {4, 1, 3, 2, 5, 1, 2, 0})}, {"kernel", kernel}});
    const auto there =
        output(problem, {{"input", tensor({1, 1, 8, 1}, {0, 4, 1, 3, 2, 5, 1, 2})}, {"kernel", kernel}});
    std::rotate(here.begin(), here.end() - 1, here.end());
    CHECK(here == there);
}

TEST_CASE("A max pool changes fewer outputs than inputs when the input moves by one pixel", "[chapter]") {
    const std::string problem = "max_pool in=1x1x6x1 kernel_size=1x3 padding=0x1";
    const std::vector<double> input{3, 1, 10, 2, 1, 4}, shifted{5, 3, 1, 10, 2, 1};
    const auto before = output(problem, {{"input", tensor({1, 1, 6, 1}, input)}});
    const auto after = output(problem, {{"input", tensor({1, 1, 6, 1}, shifted)}});
    CHECK(before == std::vector<double>{3, 10, 10, 10, 4, 4});
    CHECK(after == std::vector<double>{5, 5, 10, 10, 10, 2});
    int changed_inputs = 0, changed_outputs = 0;
    for (std::size_t i = 0; i < input.size(); ++i) {
        changed_inputs += input[i] != shifted[i];
        changed_outputs += before[i] != after[i];
    }
    CHECK(changed_inputs == 6);
    CHECK(changed_outputs == 4);
}

TEST_CASE("A max pool's output stays when a maximum moves by one pixel within its window", "[chapter]") {
    const std::string problem = "max_pool in=1x2x4x1 kernel_size=2 stride=2";
    const auto before = output(problem, {{"input", tensor({1, 2, 4, 1}, {7, 1, 2, 9, 0, 3, 1, 4})}});
    const auto after = output(problem, {{"input", tensor({1, 2, 4, 1}, {1, 7, 9, 2, 0, 3, 1, 4})}});
    CHECK(before == std::vector<double>{7, 9});
    CHECK(after == before);
}
