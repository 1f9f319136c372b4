#include "tests/support/kernel_check.hpp"
#include "tests/support/random_problems.hpp"
#include "tests/support/test_kernel.hpp"
#include "tuner/search_space.hpp"

#include <catch2/catch.hpp>

using namespace lamina;
using namespace lamina::testing;

namespace {

std::vector<const Family*> baselines() {
    std::vector<const Family*> families;
    for (const Family* family : family_table())
        if (family->is_baseline)
            families.push_back(family);
    return families;
}

Problem problem_of(const char* text) {
    const ParsedProblem parsed = parse_problem(text);
    INFO(parsed.error.view());
    REQUIRE(parsed.ok());
    return parsed.problem;
}

} // namespace

TEST_CASE("Autoscheduled kernels give the reference's results", "[autoschedulers][slow]") {
    CHECK(baselines().size() == 3);
    for (const char* text :
         {"cross_correlation in=1x14x14x16 out_channels=16 kernel_size=3 padding=same epilogue=bias,relu",
          "cross_correlation in=2x9x7x12 out_channels=24 kernel_size=3x1 stride=2 groups=2 layout=nchw",
          "convolution in=1x12x12x16 out_channels=16 kernel_size=3 groups=16 "
          "epilogue=bias,residual,relu preactivation=yes",
          "transposed_convolution in=1x5x6x8 out_channels=8 kernel_size=3 stride=2 padding=1",
          "max_pool in=2x13x13x24 kernel_size=3 stride=2 padding=1",
          "average_pool in=1x8x8x5 kernel_size=2 count_padding=yes layout=nchw",
          "dense in=2x3x3x8 out_channels=16", "softmax in=3x1x1x10", "global_average_pool in=2x7x7x16"})
        for (const Family* family : baselines()) {
            INFO(text << " with " << family->name);
            CHECK(what_is_wrong({problem_of(text), runnable_targets().back(), std::string(family->name)}) ==
                  "");
        }
}

TEST_CASE("Autoschedulers say what they cannot schedule", "[autoschedulers]") {
    for (const Family* family : baselines()) {
        const auto reason = [&](const char* text, const char* target) {
            return why_unfit(*family, {problem_of(text), find_target(target)});
        };
        CHECK(reason("softmax in=1x1x1x8", "x86-64-linux-avx2") == "");
        CHECK_THAT(reason("softmax in=1x1x1x8", "x86-64-linux-opencl"), Catch::Contains("no CPU vectors"));
        CHECK_THAT(reason("softmax in=?x1x1x8", "x86-64-linux-avx2"), Catch::StartsWith("in=?"));
        CHECK_THAT(reason("max_pool in=1x4x4x8 kernel_size=2 indices=yes", "x86-64-linux-avx2"),
                   Catch::StartsWith("indices=yes"));
        CHECK_THAT(reason("sgd in=1x1x1x8", "x86-64-linux-avx2"), Catch::Contains("compute elements twice"));
        CHECK_THAT(reason("dense in=1x1x1x8 out_channels=8 epilogue=residual", "x86-64-linux-avx2"),
                   Catch::Contains("compute elements twice"));
    }
}

TEST_CASE("Baselines are neither chosen unasked nor tried by the tuner", "[autoschedulers]") {
    Random random(11);
    for (int i = 0; i < 50; ++i) {
        const Situation situation{random_problem(random), find_target("x86-64-linux-avx2")};
        INFO(to_text(situation.problem).view());
        CHECK(!choose_schedule(situation, "", "").family->is_baseline);
        for (const Point& point : search_space(situation))
            REQUIRE(!point.family->is_baseline);
    }
    for (const Family* family : default_families())
        CHECK(!family->is_baseline);
}
