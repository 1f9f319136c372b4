#include "generators/strip_prefetch.hpp"
#include "tests/support/lowered_loops.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <set>

using namespace lamina;
using namespace lamina::testing;

namespace {

constexpr int positions = 64, strip = 16; // of the maps, and of a strip of them
const char* const tiles = "pointwise_kernel_gradient,vectors:2,channels:4,parts:1,share:1";

std::string problem(int channels, int out_channels) {
    return fmt::format("cross_correlation_kernel_gradient in=1x8x8x{} out_channels={} kernel_size=1x1",
                       channels, out_channels);
}

std::set<std::int64_t> fetched_lines(const std::string& problem, const char* map, bool is_ahead, int task) {
    const LoweredKernel kernel =
        lowered(problem, fmt::format("{},positions:{},ahead:{}", tiles, strip, int{is_ahead}));
    FetchedLines fetched(map);
    fetched.run(with_strip_prefetch(kernel.module, kernel.problem, kernel.request), {{".task", task}});
    std::set<std::int64_t> lines;
    for (const auto& [line, times] : fetched.lines)
        lines.insert(line);
    return lines;
}

} // namespace

TEST_CASE("A strip's sums fetch what the next strip reads of the map with more channels", "[schedules]") {
    // At each position a tile of 16 output channels reads one line of four, a tile of 4 input channels a
    // quarter of a line, so that four tasks share one.
    for (const int task : {0, 1, 3}) {
        INFO("task " << task);
        std::set<std::int64_t> of_gradient, of_input;
        for (int position = strip; position < positions + strip; ++position) {
            of_gradient.insert(4 * position + task);
            of_input.insert(4 * position + task / 4);
        }
        CHECK(fetched_lines(problem(32, 64), "output_gradient", true, task) == of_gradient);
        CHECK(fetched_lines(problem(64, 32), "input", true, task) == of_input);
    }
}

TEST_CASE("No strip is fetched where the schedule does not ask for it", "[schedules]") {
    CHECK(fetched_lines(problem(32, 64), "output_gradient", false, 0).empty());
}
