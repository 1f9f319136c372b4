#include "generators/kernel_prefetch.hpp"
#include "tests/support/lowered_loops.hpp"

#include <catch2/catch.hpp>

using namespace lamina;
using namespace lamina::testing;

namespace {

const char* const small_map = "cross_correlation in=1x7x7x32 out_channels=48 kernel_size=3x3 padding=same";

// Which lines of the packed kernel block `co` = 0 would fetch, and how often each.
std::map<std::int64_t, int> fetched_lines(const std::string& schedule) {
    const LoweredKernel kernel = lowered(small_map, schedule);
    FetchedLines fetched("packed_kernel");
    fetched.run(with_kernel_prefetch(kernel.module, kernel.problem, kernel.request), {{".c.co", 0}});
    return fetched.lines;
}

} // namespace

TEST_CASE("The tiles of a block fetch the next block's kernel, each line once", "[schedules]") {
    // Whatever names Halide has given before.
    lowered(small_map, "generic");
    // Blocks of 16 channels x 32 x 9 floats are 288 lines; 10 tiles of 5 positions, 2 chunks, 9 elements, 4
    // turns. Parts that find nothing left fetch the last line.
    const std::map<std::int64_t, int> lines =
        fetched_lines("direct,vectors:2,positions:5,chunk:16,unroll:4,skip:0,ahead:1");
    REQUIRE(lines.size() == 288);
    CHECK(lines.begin()->first == 288);
    CHECK(lines.rbegin()->first == 2 * 288 - 1);
    for (const auto& [line, times] : lines)
        CHECK(times == (line < 2 * 288 - 1 ? 1 : 10 * 2 * 9 * 4 - 287));
}

TEST_CASE("Columns of the kernel that have code of their own fetch different lines", "[schedules]") {
    // Blocks of 8 channels are 144 lines, parts for two of 7 tiles of a row: 9 elements of 8 turns each. The
    // first tile leaves out the kernel's first row, whose lines nobody fetches.
    const std::map<std::int64_t, int> lines =
        fetched_lines("direct,vectors:1,positions:7,chunk:32,unroll:4,skip:1,ahead:1");
    CHECK(lines.size() == 144 - 3 * 8);
    for (const auto& [line, times] : lines) {
        INFO("line " << line);
        CHECK((times == 1 || line == 2 * 144 - 1));
    }
}

TEST_CASE("Nothing is fetched where the schedule does not ask for it", "[schedules]") {
    CHECK(fetched_lines("direct,vectors:2,positions:5,chunk:16,skip:0,ahead:0").empty());
}
