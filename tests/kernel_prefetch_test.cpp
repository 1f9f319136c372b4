#include "generators/kernel_prefetch.hpp"
#include "tests/support/lowered_loops.hpp"

#include <catch2/catch.hpp>

using namespace lamina;
using namespace lamina::testing;

namespace {

const char* const small_map = "cross_correlation in=1x7x7x32 out_channels=48 kernel_size=3x3 padding=same";

// Which lines of the packed kernel a task would fetch, and how often each.
std::map<std::int64_t, int> lines_of_task(const std::string& problem, const std::string& schedule,
                                          const std::string& loop, int task) {
    const LoweredKernel kernel = lowered(problem, schedule);
    FetchedLines fetched("packed_kernel");
    fetched.run(with_kernel_prefetch(kernel.module, kernel.problem, kernel.request), {{loop, task}});
    return fetched.lines;
}

// Those that block `co` = 0 would fetch.
std::map<std::int64_t, int> fetched_lines(const std::string& schedule) {
    return lines_of_task(small_map, schedule, ".c.co", 0);
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

TEST_CASE("Winograd's blocks fetch those that follow, of the same points, the next ones or the next group",
          "[schedules]") {
    // Of 36 points, two groups of two blocks of 16 channels x 32 floats, 32 lines each; two of four tiles, of
    // 8 turns.
    constexpr int block = 32, group = 36 * 2 * block;
    const auto fetched = [](int task) {
        return lines_of_task("cross_correlation in=1x8x8x32 out_channels=64 kernel_size=3x3 padding=same",
                             "winograd,outputs:4,vectors:2,tiles:2,block:4,images:1,group:4,ahead:1",
                             ".c.group", task);
    };
    std::map<std::int64_t, int> first = fetched(0), last = fetched(1);
    CHECK(first.size() == group);
    CHECK(first.begin()->first == block);
    CHECK(first.rbegin()->first == group + block - 1);
    CHECK(last.size() == group);
    for (int line = 0; line < block; ++line)
        CHECK(last.contains(line)); // all over again
    CHECK(last.rbegin()->first == 2 * group - 1);
    for (const auto& lines : {first, last})
        for (const auto& [line, times] : lines) {
            INFO("line " << line);
            CHECK(times == 1);
        }
}

TEST_CASE("Nothing is fetched where the schedule does not ask for it", "[schedules]") {
    CHECK(fetched_lines("direct,vectors:2,positions:5,chunk:16,skip:0,ahead:0").empty());
}
