// What the nests of gradients of kernels are, in Halide's loops, where results are the same: what is a task,
// and that Halide knows them to read within the maps.
#include "tests/support/lowered_loops.hpp"

#include <catch2/catch.hpp>

#include <stdexcept>

using namespace lamina;
using namespace lamina::testing;

namespace {

// Counts the warnings of what is lowered while it exists.
class Warnings : public Halide::CompileTimeErrorReporter {
public:
    Warnings() { Halide::set_custom_compile_time_error_reporter(this); }
    ~Warnings() { Halide::set_custom_compile_time_error_reporter(nullptr); }
    Warnings(const Warnings&) = delete;
    Warnings& operator=(const Warnings&) = delete;

    int count = 0;

    void warning(const char*) override { ++count; }
    void error(const char* message) override { throw std::runtime_error(message); }
};

bool are_parts_tasks(const std::string& problem, const std::string& schedule) {
    return has_tasks(lowered(problem, schedule).module, "par_for_parts");
}

} // namespace

TEST_CASE("Parts of the rows are tasks where a gradient has few blocks, or its maps are large",
          "[schedules]") {
    const std::string sums = "cross_correlation_kernel_gradient kernel_size=3x3 padding=same ";
    CHECK(are_parts_tasks(sums + "in=1x61x47x3 out_channels=17", "kernel_gradient"));
    CHECK_FALSE(are_parts_tasks(sums + "in=1x61x47x3 out_channels=17", "kernel_gradient,rows:61,parts:1"));
    CHECK_FALSE(are_parts_tasks(sums + "in=1x28x28x128 out_channels=128", "kernel_gradient"));
    CHECK_FALSE(are_parts_tasks(sums + "in=1x7x7x3 out_channels=17", "kernel_gradient")); // too little work
    CHECK(are_parts_tasks(sums + "in=1x112x112x96 out_channels=96 groups=96", "depthwise_kernel_gradient"));
    CHECK_FALSE(
        are_parts_tasks(sums + "in=1x14x14x96 out_channels=96 groups=96", "depthwise_kernel_gradient"));
}

TEST_CASE("Tasks store the larger map, each its own part, where results stay in the cache", "[schedules]") {
    const auto out_channels_are_tasks = [](const std::string& channels) {
        const std::string problem =
            "cross_correlation_kernel_gradient kernel_size=1x1 in=1x56x56x" + channels;
        return has_tasks(lowered(problem, "kernel_gradient,parts:1").module, "s1_d_do");
    };
    CHECK(out_channels_are_tasks("64 out_channels=256"));         // 64 KiB
    CHECK_FALSE(out_channels_are_tasks("256 out_channels=64"));   // whose larger map is the input
    CHECK_FALSE(out_channels_are_tasks("512 out_channels=1024")); // 2 MiB
}

TEST_CASE("Halide knows that strips of single rows read within the maps", "[schedules]") {
    Warnings warnings;
    lowered("cross_correlation_kernel_gradient in=1x16x7x4 out_channels=15 kernel_size=1x5 stride=2x2 "
            "dilation=3x3 padding=3x3 epilogue=bias,residual",
            "kernel_gradient,vectors:1,channels:4,rows:1,images:0,parts:1");
    CHECK(warnings.count == 0);
    lowered(
        "cross_correlation_kernel_gradient in=1x14x12x16 out_channels=16 kernel_size=3x3 stride=2 padding=1 "
        "groups=16 epilogue=none",
        "depthwise_kernel_gradient,vectors:1,taps:3,columns:1,rows:1,runs:1,parts:4");
    CHECK(warnings.count == 0);
}
