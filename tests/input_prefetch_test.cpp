#include "generators/input_prefetch.hpp"
#include "tests/support/lowered_loops.hpp"

#include <catch2/catch.hpp>

using namespace lamina;
using namespace lamina::testing;

namespace {

// Two strips of 4 rows of 48 positions; of the input, rows of 8 lines.
const char* const small_map =
    "separable_convolution in=2x8x16x8 out_channels=24 kernel_size=3x3 padding=same";
constexpr std::int64_t lines_of_row = 8, lines_of_image = 8 * lines_of_row;

std::map<std::int64_t, int> fetched_lines(const std::string& schedule, int task) {
    const LoweredKernel kernel = lowered(small_map, schedule);
    FetchedLines fetched("input");
    fetched.run(with_input_prefetch(kernel.module, kernel.problem, kernel.request), {{".task", task}});
    return fetched.lines;
}

} // namespace

TEST_CASE("The tiles of a strip fetch what the next strip reads first", "[schedules]") {
    // The first strip's windows end with row 4; three rows of the second one's are new, and there is no
    // row 8.
    for (const char* tiles : {"vectors:1,positions:6,unroll:4", "vectors:3,positions:4,unroll:1"})
        for (const int image : {0, 1}) {
            const std::map<std::int64_t, int> lines =
                fetched_lines(std::string("separable,strip:4,ahead:1,") + tiles, 2 * image);
            const std::int64_t first = image * lines_of_image + 5 * lines_of_row;
            for (std::int64_t line = first; line < (image + 1) * lines_of_image; ++line) {
                INFO(tiles << ", line " << line);
                CHECK(lines.contains(line));
            }
            REQUIRE(!lines.empty());
            CHECK(lines.begin()->first == first);
            CHECK(lines.rbegin()->first == first + 4 * lines_of_row - 1);
        }
}

TEST_CASE("No input is fetched where the schedule does not ask for it", "[schedules]") {
    CHECK(fetched_lines("separable,strip:4,ahead:0", 0).empty());
}
