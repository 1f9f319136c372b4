#include "generators/scratch.hpp"
#include "generators/winograd_matrices.hpp"
#include "schedules/choice.hpp"
#include "schedules/nests.hpp"
#include "schedules/winograd_blocks.hpp"
#include "tests/reference/reference.hpp"
#include "tests/support/lowered_loops.hpp"
#include "tests/support/test_kernel.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>

using namespace lamina;
using namespace lamina::testing;

namespace {

std::vector<double> times(const Matrix& matrix, const std::vector<double>& vector) {
    std::vector<double> product;
    for (const std::vector<double>& row : matrix) {
        product.push_back(0);
        for (std::size_t i = 0; i < row.size(); ++i)
            product.back() += row[i] * vector[i];
    }
    return product;
}

Problem problem_of(std::string_view text) {
    const ParsedProblem parsed = parse_problem(text);
    INFO(parsed.error.view());
    REQUIRE(parsed.ok());
    return parsed.problem;
}

// The largest error over the largest output, on normally distributed values.
double error_of(const Problem& problem, const std::string& schedule) {
    const TestKernel kernel(problem, *runnable_targets().back(), schedule);
    INFO(kernel.error());
    REQUIRE(kernel.error().empty());
    std::mt19937 random(1);
    std::normal_distribution<float> normal; // rounded to fp32, as the kernel takes them
    Tensors tensors;
    for (const Operand& operand : operands(problem))
        if (operand.direction == Direction::in) {
            TestTensor& tensor = tensors[std::string(operand.name)];
            tensor = tensor_for(operand, 1);
            std::generate(tensor.data.begin(), tensor.data.end(), [&] { return normal(random); });
        }
    const CallResult result = kernel.call(tensors);
    REQUIRE(result.error.empty());
    reference(problem, tensors);
    const TestTensor &actual = result.outputs.at("output"), &expected = tensors.at("output");
    double error = 0, largest = 0;
    for (std::size_t at = 0; at < expected.data.size(); ++at) {
        error = std::max(error, std::abs(actual.data[at] - expected.data[at]));
        largest = std::max(largest, std::abs(expected.data[at]));
    }
    return error / largest;
}

} // namespace

TEST_CASE("The transforms give the outputs of the sum itself", "[winograd]") {
    for (int extent = 1; extent <= most_winograd_points; ++extent)
        for (int outputs = 1; outputs + extent - 1 <= most_winograd_points; ++outputs) {
            const WinogradMatrices m = winograd_matrices(outputs, extent);
            std::vector<double> input, kernel;
            for (int i = 0; i < m.points; ++i)
                input.push_back(i * i - 3 * i + 2.5);
            for (int i = 0; i < extent; ++i)
                kernel.push_back(7 - 3 * i);
            std::vector<double> products = times(m.kernel, kernel);
            const std::vector<double> transformed = times(m.input, input);
            for (std::size_t i = 0; i < products.size(); ++i)
                products[i] *= transformed[i];
            const std::vector<double> output = times(m.output, products);
            for (int i = 0; i < outputs; ++i) {
                double sum = 0;
                for (int k = 0; k < extent; ++k)
                    sum += input[static_cast<std::size_t>(i + k)] * kernel[static_cast<std::size_t>(k)];
                CHECK(output[static_cast<std::size_t>(i)] == Approx(sum).margin(1e-10));
            }
        }
}

// The figures that docs/schedules.md states.
TEST_CASE("The errors of Winograd's algorithm stay within what is documented", "[winograd]") {
    const Problem problem =
        problem_of("cross_correlation in=1x12x12x512 out_channels=16 kernel_size=3x3 padding=same");
    CHECK(error_of(problem, "winograd,outputs:4") < 2e-5);
    CHECK(error_of(problem, "winograd,outputs:3") < 1e-5);
    CHECK(error_of(problem, "winograd,outputs:2") < 2e-6);
    CHECK(error_of(problem, "direct") < 2e-6);
    CHECK(
        error_of(problem_of("cross_correlation in=1x12x12x512 out_channels=16 kernel_size=5x5 padding=same"),
                 "winograd,outputs:2") < 2e-5);
}

TEST_CASE("Winograd's algorithm is the default where it is faster, unless it is forbidden", "[winograd]") {
    const TargetFacts& target = *find_target("x86-64-linux-avx2");
    const auto family = [&](std::string_view keys) {
        const Problem problem = problem_of(fmt::format("cross_correlation {}", keys));
        return choose_schedule({problem, &target}, "", "").family->name;
    };
    CHECK(family("in=1x56x56x64 out_channels=64 kernel_size=3x3 padding=same") == "winograd");
    CHECK(family("in=1x56x56x64 out_channels=64 kernel_size=3x3 padding=same algorithm=exact") == "direct");
    CHECK(family("in=1x224x224x3 out_channels=64 kernel_size=3x3 padding=same") == "direct");
    CHECK(family("in=1x56x56x8 out_channels=64 kernel_size=3x3 padding=same") == "winograd");
    // Four tiles for each of 16 transformed kernels, which are larger than most caches.
    CHECK(family("in=1x3x3x512 out_channels=512 kernel_size=3x3 padding=same") == "direct");
    CHECK(family("in=1x56x56x64 out_channels=64 kernel_size=3x3 padding=same stride=2x2") == "direct");
    CHECK(family("in=1x56x56x64 out_channels=64 kernel_size=1x1") == "direct");
    CHECK(family("in=1x56x56x64 out_channels=64 kernel_size=3x3 dilation=2x2") == "direct");
}

TEST_CASE("A block's groups cost the way of its transformed tiles where the L1 cache does not keep them",
          "[winograd]") {
    const TargetFacts& target = *find_target("x86-64-linux-avx2");
    const auto cost = [&](int channels, int group) {
        const Problem problem = problem_of(fmt::format(
            "cross_correlation in=1x14x14x{} out_channels=64 kernel_size=3x3 padding=same", channels));
        return winograd_family.cost({problem, &target}, {{"outputs", 3},
                                                         {"vectors", 2},
                                                         {"tiles", 5},
                                                         {"block", 5},
                                                         {"images", 1},
                                                         {"group", group},
                                                         {"ahead", 0}});
    };
    CHECK(cost(64, 4) < cost(64, 2));
    CHECK(cost(8, 4) == cost(8, 2));
    const Problem problem =
        problem_of("cross_correlation in=1x14x14x64 out_channels=64 kernel_size=3x3 padding=same");
    CHECK(winograd_family.defaults({problem, &target}, {}).get("group") == 4);
}

TEST_CASE("Threads go through few blocks of many groups together", "[winograd]") {
    const auto are_tasks = [](int channels, const std::string& schedule, std::string_view loop) {
        const std::string problem = fmt::format(
            "cross_correlation in=1x12x12x16 out_channels={} kernel_size=3x3 padding=same", channels);
        return has_tasks(lowered(problem, "winograd,outputs:4,vectors:1,tiles:1,images:1," + schedule).module,
                         loop);
    };
    CHECK_FALSE(are_tasks(256, "block:3,group:8", "task")); // three blocks of four groups
    CHECK(are_tasks(256, "block:3,group:8", "group"));
    CHECK(are_tasks(256, "block:3,group:16", "task"));
    CHECK(are_tasks(256, "block:1,group:8", "task"));
    CHECK(are_tasks(32, "block:3,group:1", "task")); // too few channels
}

TEST_CASE("What two threads keep of large layers by default is no more than their maps", "[winograd]") {
    for (const char* keys : {"in=1x56x56x256 out_channels=256", "in=1x28x28x256 out_channels=512",
                             "in=1x28x28x512 out_channels=512"}) {
        const Problem problem =
            problem_of(fmt::format("cross_correlation {} kernel_size=3x3 padding=same", keys));
        const Choice choice = choose_schedule({problem, find_target("x86-64-linux-avx2")}, "", "");
        REQUIRE(choice.family == &winograd_family);
        const LoweredKernel kernel =
            lowered(std::string(to_text(problem).view()), to_text(choice.family->name, choice.knobs));
        const ScratchUse use = scratch_use(kernel.module, "kernel");
        CHECK(use.error == "");
        CHECK(static_cast<double>(use.serial + 2 * use.per_thread) <=
              most_scratch_bytes(image_elements(problem.in) + image_elements(output_shape(problem))));
    }
}

TEST_CASE("A block keeps no tiles of the output, and no more than its model says", "[winograd]") {
    for (const auto& [problem, schedule] : std::initializer_list<std::pair<std::string, std::string>>{
             {"cross_correlation in=1x14x18x32 out_channels=64 kernel_size=3x3 padding=same",
              "winograd,outputs:4,vectors:1,tiles:2,block:5,images:1,group:2"},
             {"cross_correlation in=2x9x9x32 out_channels=64 kernel_size=5x5",
              "winograd,outputs:2,vectors:2,tiles:3,block:9,images:2,group:8"},
             {"pooled_cross_correlation in=1x16x16x32 out_channels=32 kernel_size=3x3 padding=same "
              "pool_kernel_size=2x2 pool_stride=2x2",
              "winograd,outputs:4,vectors:1,tiles:4,block:8,images:1,group:1"}}) {
        INFO(problem);
        const Situation situation{problem_of(problem), find_target("x86-64-linux-avx2")};
        const Choice choice = choose_schedule(situation, schedule, "");
        REQUIRE(choice.error == "");
        const ScratchUse use = scratch_use(lowered(problem, schedule).module, "kernel");
        REQUIRE(use.error == "");
        for (const Allocation& allocation : use.allocations)
            CHECK_THAT(allocation.name, !Catch::StartsWith("tile_output"));
        const winograd::Geometry geometry = winograd::geometry(situation);
        const double model =
            winograd::block_bytes(situation, geometry, winograd::blocks_of(geometry, choice.knobs));
        const double rounded = 4096; // up to whole cache lines and vectors
        CHECK(static_cast<double>(use.serial + use.per_thread) <= model + rounded);
    }
}

TEST_CASE("A kernel that is packed before each call is not transformed to more than the maps take",
          "[winograd]") {
    Situation situation{
        problem_of("cross_correlation in=32x8x8x256 out_channels=256 kernel_size=3x3 padding=same"),
        find_target("x86-64-linux-avx2")};
    const auto why_not = [&](int outputs) {
        return choose_schedule(situation, fmt::format("winograd,outputs:{}", outputs), "").error;
    };
    CHECK(why_not(4) == "");
    situation.is_packed_in_calls = true;
    CHECK(why_not(2) == "");
    CHECK_THAT(why_not(4), Catch::Contains("outputs:4") && Catch::Contains("before each call"));
    CHECK(choose_schedule(situation, "", "").knobs.get("outputs") == 2);
}
