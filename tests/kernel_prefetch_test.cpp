#include "generators/kernel_prefetch.hpp"
#include "tests/support/lowered_loops.hpp"

#include <catch2/catch.hpp>

using namespace lamina;
using namespace lamina::testing;

namespace {

const char* const small_map = "cross_correlation in=1x7x7x32 out_channels=48 kernel_size=3x3 padding=same";

// Which lines of the packed kernel block `co` = 0 would fetch, and how often each.
class FetchedKernel : public RunLoops {
public:
    std::map<std::int64_t, int> lines;

private:
    void called(const Halide::Internal::Call* call) override {
        if (call->name != "lamina_prefetch")
            return;
        const std::int64_t first = value(call->args[1]), floats = value(call->args[2]);
        for (std::int64_t line = 0; line < floats / 16; ++line)
            ++lines[first / 16 + line];
    }
};

std::map<std::int64_t, int> fetched_lines(const std::string& schedule) {
    const LoweredKernel kernel = lowered(small_map, schedule);
    FetchedKernel fetched;
    fetched.run(with_kernel_prefetch(kernel.module, kernel.problem, kernel.request), {{".c.co", 0}});
    return fetched.lines;
}

} // namespace

TEST_CASE("The tiles of a block fetch the next block's kernel, each line once", "[schedules]") {
    // Whatever names Halide has given before.
    lowered(small_map, "generic");
    // Blocks of 16 channels x 32 x 9 floats are 288 lines; 10 tiles of 5 positions, 2 chunks, 9 elements.
    const std::map<std::int64_t, int> lines =
        fetched_lines("direct,vectors:2,positions:5,chunk:16,skip:0,ahead:1");
    REQUIRE(lines.size() >= 288);
    for (std::int64_t line = 288; line < 2 * 288; ++line) {
        INFO("line " << line);
        CHECK(lines.contains(line));
    }
    for (const auto& [line, times] : lines)
        CHECK(times == 1);
}

TEST_CASE("Nothing is fetched where the schedule does not ask for it", "[schedules]") {
    CHECK(fetched_lines("direct,vectors:2,positions:5,chunk:16,skip:0,ahead:0").empty());
}
