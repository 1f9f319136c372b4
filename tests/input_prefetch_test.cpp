#include "generators/input_prefetch.hpp"
#include "tests/support/lowered_loops.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

using namespace lamina;
using namespace lamina::testing;

namespace {

// Two images of 8 rows of 16 positions of 8 channels: rows of 8 lines.
const char* const separable =
    "separable_convolution in=2x8x16x8 out_channels=24 kernel_size=3x3 padding=same";
constexpr std::int64_t lines_of_row = 8, lines_of_image = 8 * lines_of_row;

FetchedLines fetched(const std::string& problem, const std::string& schedule, int task,
                     const std::string& map = "input") {
    const LoweredKernel kernel = lowered(problem, schedule);
    FetchedLines lines(map);
    lines.run(with_input_prefetch(kernel.module, kernel.problem, kernel.request), {{".task", task}});
    return lines;
}

std::map<std::int64_t, int> fetched_lines(const std::string& problem, const std::string& schedule, int task,
                                          const std::string& map = "input") {
    return fetched(problem, schedule, task, map).lines;
}

// Each of `count` lines once; the last one for all parts that are left over.
void check_all(const std::map<std::int64_t, int>& lines, std::int64_t first, std::int64_t count) {
    REQUIRE(!lines.empty());
    for (const auto& [line, times] : lines) {
        INFO("line " << line);
        CHECK((times == 1 || line == first + count - 1));
    }
    CHECK(lines.begin()->first == first);
    CHECK(lines.rbegin()->first == first + count - 1);
    CHECK(lines.size() == static_cast<std::size_t>(count));
}

} // namespace

TEST_CASE("The tiles of a strip fetch what the next strip reads first", "[schedules]") {
    // The first strip's windows end with row 4; three rows of the second one's are new, and there is no
    // row 8.
    for (const char* tiles : {"vectors:1,positions:6,unroll:4", "vectors:3,positions:4,unroll:1"})
        for (const int image : {0, 1}) {
            INFO(tiles << ", image " << image);
            check_all(fetched_lines(separable, std::string("separable,strip:4,ahead:1,") + tiles, 2 * image),
                      image * lines_of_image + 5 * lines_of_row, 4 * lines_of_row);
        }
}

TEST_CASE("The turns of a tile's sum share what is fetched", "[schedules]") {
    // Eight times the channels: 256 lines, and 33 tiles of 16 turns.
    const FetchedLines of_separable =
        fetched("separable_convolution in=2x8x16x64 out_channels=24 kernel_size=3x3 padding=same",
                "separable,strip:4,ahead:1,vectors:1,positions:6,unroll:4", 0);
    CHECK(of_separable.most_in_a_turn == 1);
    check_all(of_separable.lines, 5 * 8 * lines_of_row, 4 * 8 * lines_of_row);
    const FetchedLines of_direct = fetched("cross_correlation in=2x8x16x64 out_channels=24 kernel_size=1x1",
                                           "direct,strip:4,ahead:2,vectors:1,positions:6,unroll:4", 0);
    CHECK(of_direct.most_in_a_turn == 1);
    check_all(of_direct.lines, 4 * 8 * lines_of_row, 4 * 8 * lines_of_row);
}

TEST_CASE("Tiles of a 1x1 convolution fetch the next strip", "[schedules]") {
    for (const char* tiles :
         {"vectors:1,positions:6,unroll:4,ahead:2", "vectors:1,positions:6,unroll:4,ahead:3",
          "vectors:3,positions:4,unroll:1,ahead:2"})
        for (const int task : {0, 2, 5}) {
            INFO(tiles << ", task " << task);
            check_all(fetched_lines("cross_correlation in=2x8x16x8 out_channels=24 kernel_size=1x1",
                                    std::string("direct,strip:2,") + tiles, task),
                      2 * (task + 1) * lines_of_row, 2 * lines_of_row);
        }
    check_all(fetched_lines("cross_correlation_input_gradient in=2x8x16x24 out_channels=8 kernel_size=1x1",
                            "direct,vectors:1,positions:6,strip:4,ahead:2", 0, "output_gradient"),
              4 * lines_of_row, 4 * lines_of_row);
}

TEST_CASE("A row of a depthwise convolution fetches what the next one reads first", "[schedules]") {
    // Row 2 reads up to row 3 of the input, and row 3 one more; by strides of two row 2 up to row 5, row 3
    // two more.
    const auto lines = [&](const char* window, int columns, int row) {
        return fetched_lines(
            fmt::format("cross_correlation in=2x8x16x8 out_channels=8 groups=8 kernel_size=3x3 {}", window),
            fmt::format("depthwise,columns:{},strip:1,ahead:1", columns), row);
    };
    for (const int columns : {1, 2, 3}) {
        INFO("columns " << columns);
        check_all(lines("padding=same", columns, 2), 4 * lines_of_row, lines_of_row);
        check_all(lines("padding=same", columns, 8 + 2), lines_of_image + 4 * lines_of_row, lines_of_row);
    }
    // Of eight columns three tiles of three would all stand outside of a loop.
    for (const int columns : {1, 2}) {
        INFO("by strides, columns " << columns);
        check_all(lines("padding=1x1 stride=2x2", columns, 2), 6 * lines_of_row, 2 * lines_of_row);
    }
    // The rows of a task, and the vectors of a column.
    check_all(
        fetched_lines("cross_correlation in=2x8x16x32 out_channels=32 groups=32 kernel_size=3x3 padding=same",
                      "depthwise,columns:2,strip:4,vectors:4,ahead:1", 0),
        2 * 4 * lines_of_row, 4 * 4 * lines_of_row);
}

TEST_CASE("No input is fetched where the schedule does not ask for it", "[schedules]") {
    CHECK(fetched_lines(separable, "separable,strip:4,ahead:0", 0).empty());
    CHECK(fetched_lines("cross_correlation in=2x8x16x8 out_channels=24 kernel_size=1x1",
                        "direct,strip:2,ahead:1,vectors:1", 0)
              .empty());
}
