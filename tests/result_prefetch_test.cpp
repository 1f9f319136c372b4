#include "generators/result_prefetch.hpp"
#include "tests/support/lowered_loops.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

using namespace lamina;
using namespace lamina::testing;

namespace {

// Eight images of 8 rows of 6 positions, enough strips of two rows: 32 output channels are two lines.
std::map<std::int64_t, int> fetched_lines(const char* epilogue, const char* ahead, int strip, const char* map,
                                          const char* beside) {
    const LoweredKernel kernel = lowered(
        fmt::format("cross_correlation in=8x8x6x8 out_channels=32 kernel_size=1x1 epilogue={}", epilogue),
        fmt::format("direct,vectors:2,positions:4,strip:2,ahead:{}", ahead));
    FetchedLines fetched(map, beside);
    fetched.run(with_result_prefetch(kernel.module, kernel.problem, kernel.request), {{".task", strip}});
    return fetched.lines;
}

} // namespace

TEST_CASE("A block's tiles fetch the lines of the next block's results and residual", "[schedules]") {
    for (const int strip : {0, 3})
        for (const auto& [map, other] : {std::pair("result", "residual"), std::pair("residual", "result")}) {
            INFO(map << " of strip " << strip);
            // Of 12 positions two lines each, but the very first one; behind the last block comes the first
            // line of the next position.
            const std::map<std::int64_t, int> lines = fetched_lines("residual", "4", strip, map, other);
            REQUIRE(lines.size() == 24);
            std::int64_t line = 2 * 12 * strip + 1;
            for (const auto& [fetched, times] : lines) {
                CHECK(fetched == line++);
                CHECK(times == 1);
            }
        }
    // No residual, and nothing but results.
    CHECK(fetched_lines("none", "4", 0, "result", "").size() == 24);
}

TEST_CASE("No results are fetched where the schedule does not ask for it", "[schedules]") {
    CHECK(fetched_lines("residual", "2", 0, "result", "residual").empty());
}
