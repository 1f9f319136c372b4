// What the nest of `direct` does, in Halide's loops, where results are the same: that tiles leave out
// multiply-adds with padding, and what is a task.
#include "tests/support/lowered_loops.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>

using namespace lamina;
using namespace lamina::testing;

namespace {

// How often the loops of a block of output channels store a vector of the sum, once for each position and
// multiply-add.
class StoredSums : public RunLoops {
public:
    int count = 0;

private:
    using RunLoops::visit;
    void visit(const Halide::Internal::Store* store) override { count += store->name.starts_with("sum"); }
    void called(const Halide::Internal::Call*) override {}
};

// Allocations on the stack, and those of them whose size is not known before the kernel runs.
class StackSizes : public Halide::Internal::IRVisitor {
public:
    int all = 0, open = 0, most = 0; // most: elements of one

private:
    using IRVisitor::visit;
    void visit(const Halide::Internal::Allocate* allocation) override {
        if (allocation->memory_type == Halide::MemoryType::Stack) {
            ++all;
            open += allocation->constant_allocation_size() == 0 ? 1 : 0;
            most = std::max(most, allocation->constant_allocation_size());
        }
        IRVisitor::visit(allocation);
    }
};

// Of all strips.
int stored_sums(const std::string& problem, const std::string& schedule, int strips = 1) {
    StoredSums sums;
    const LoweredKernel kernel = lowered(problem, schedule);
    for (int task = 0; task < strips; ++task)
        sums.run(kernel.module, {{".c.co", 0}, {".task", task}});
    return sums.count;
}

} // namespace

TEST_CASE("Parts of a block's tiles are tasks where there are few blocks", "[schedules]") {
    const auto has_parts = [](const std::string& problem, const std::string& schedule) {
        const LoweredKernel kernel = lowered(problem, schedule);
        return std::ranges::any_of(kernel.module.functions(), [](const Halide::Internal::LoweredFunc& body) {
            return body.name.ends_with("block"); // a loop's body is a function with the loop's name
        });
    };
    const std::string map = "cross_correlation in=1x28x28x128 kernel_size=1x1 out_channels=";
    CHECK(has_parts(map + "32", "direct,vectors:2,positions:6,strip:28"));
    CHECK(has_parts(map + "32", "direct,vectors:2,positions:6,strip:14"));
    CHECK_FALSE(has_parts(map + "512", "direct,vectors:2,positions:6,strip:28"));
    // Too little work for two threads.
    CHECK_FALSE(has_parts("cross_correlation in=1x7x7x16 kernel_size=1x1 out_channels=16", "direct,strip:7"));
}

TEST_CASE("A register tile's size is known before the kernel runs, for several images too", "[schedules]") {
    const std::string tile = "direct,vectors:2,positions:6,unroll:4,skip:0,strip:";
    for (const auto& [keys, strip] :
         {std::pair("in=1x28x28x16 out_channels=32 kernel_size=3x3 stride=2x2 padding=1x1", "7"),
          std::pair("in=3x28x28x16 out_channels=32 kernel_size=3x3 stride=2x2 padding=1x1", "7"),
          std::pair("in=?x28x28x16 out_channels=32 kernel_size=1x1", "7"),
          // Parts of its tiles are tasks.
          std::pair("in=1x28x28x64 out_channels=64 kernel_size=1x1", "28")}) {
        INFO(keys);
        StackSizes sizes;
        const LoweredKernel kernel = lowered(fmt::format("cross_correlation {}", keys), tile + strip);
        for (const Halide::Internal::LoweredFunc& function : kernel.module.functions())
            function.body.accept(&sizes);
        CHECK(sizes.all > 0);
        CHECK(sizes.open == 0);
        CHECK(sizes.most == 6 * 16);
    }
}

TEST_CASE("Tiles of whole rows leave out the kernel's rows and columns that meet padding", "[schedules]") {
    // Along an axis of 7 windows of 3 elements with padding on both sides, 19 of 21 elements meet the input;
    // by strides of two, from 14, 20 do.
    const std::string same = "cross_correlation in=1x7x7x4 out_channels=16 kernel_size=3x3 padding=same",
                      strided =
                          "cross_correlation in=1x14x14x4 out_channels=16 kernel_size=3x3 stride=2 padding=1";
    constexpr int positions = 7 * 7, channels = 4;
    for (const char* unroll : {"4", "2"}) {
        INFO("unroll:" << unroll);
        const std::string tile = std::string("direct,vectors:1,positions:7,unroll:") + unroll;
        CHECK(stored_sums(same, tile + ",skip:1") == positions + 19 * 19 * channels);
        CHECK(stored_sums(strided, tile + ",skip:1") == positions + 20 * 20 * channels);
        CHECK(stored_sums(same, tile + ",skip:0") == positions + 21 * 21 * channels);
    }
    // Of 32 windows 94 of 96 elements meet the input, whatever the strips; there are two blocks of channels.
    const std::string long_map = "cross_correlation in=1x32x7x4 out_channels=16 kernel_size=3x3 padding=same";
    CHECK(stored_sums(long_map, "direct,vectors:1,positions:7,skip:1,strip:1", 32) ==
          2 * (32 * 7 + 94 * 19 * channels));
    // Two rows, of which the tile of the last has one alone.
    CHECK(stored_sums(same, "direct,vectors:1,positions:14,skip:1") >= positions + 19 * 19 * channels);
    CHECK(stored_sums(same, "direct,vectors:1,positions:14,skip:1") < positions + 21 * 21 * channels);
    // A tile's positions are in other columns each time.
    CHECK(stored_sums(same, "direct,vectors:1,positions:6,skip:1") > positions + 19 * 21 * channels);
}
