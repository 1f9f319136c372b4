// Which schedules the families choose by default, and why.
#include "schedules/choice.hpp"
#include "tests/support/situation.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

using namespace lamina;
using namespace lamina::testing;

TEST_CASE("Few channels are summed by vectors of the others where that fills more lanes", "[schedules]") {
    const auto family = [](std::string_view problem, std::string_view target) {
        INFO(problem << " on " << target);
        const Choice choice = choose_schedule(situation_of(problem, target), "", "");
        CHECK(choice.error == "");
        return choice.family->name;
    };
    for (const char* problem :
         {"cross_correlation_input_gradient in=1x224x224x3 out_channels=64 kernel_size=3x3 padding=same",
          "convolution_input_gradient in=1x56x56x1 out_channels=64 kernel_size=5x5 padding=same",
          "cross_correlation_input_gradient in=1x224x224x3 out_channels=64 kernel_size=7x7 stride=2x2 "
          "padding=3x3",
          "transposed_convolution in=1x56x56x64 out_channels=3 kernel_size=3x3 padding=1x1",
          "cross_correlation in=1x128x128x32 out_channels=3 kernel_size=3x3 padding=same "
          "epilogue=bias,sigmoid",
          "cross_correlation in=1x128x128x32 out_channels=1 kernel_size=1x1",
          "cross_correlation in=1x56x56x64 out_channels=3 kernel_size=3x3 stride=2x2 padding=1x1",
          "cross_correlation in=1x56x56x64 out_channels=3 kernel_size=3x3 padding=1x1 padding_mode=reflect",
          "cross_correlation in=1x56x56x64 out_channels=4 kernel_size=3x3 padding=same algorithm=exact",
          "dense in=1x1x1x512 out_channels=10"})
        for (const char* target : {"x86-64-linux-avx2", "x86-64-linux-avx512"})
            CHECK(family(problem, target) == "dot");
    for (const char* problem :
         {"cross_correlation in=1x56x56x64 out_channels=64 kernel_size=3x3 padding=same algorithm=exact",
          "cross_correlation in=1x56x56x64 out_channels=8 kernel_size=1x1",
          "cross_correlation in=1x56x56x6 out_channels=3 kernel_size=3x3 padding=same"})
        CHECK(family(problem, "x86-64-linux-avx2") == "direct");
    CHECK(
        family("transposed_convolution in=1x56x56x64 out_channels=32 kernel_size=4x4 stride=2x2 padding=1x1",
               "x86-64-linux-avx2") == "phases");
}

TEST_CASE("Tiles whose kernel comes from the L2 cache ask for few of its bytes a cycle", "[schedules]") {
    const auto positions = [](std::string_view problem, const std::string& schedule) {
        const Choice choice = choose_schedule(situation_of(problem, "x86-64-linux-avx512"), schedule, "");
        REQUIRE(choice.error == "");
        return choice.knobs.get(choice.family->name == "winograd" ? "tiles" : "positions");
    };
    // Four vectors of AVX-512 a step, which takes two cycles for each position.
    CHECK(positions("cross_correlation in=1x28x28x128 out_channels=512 kernel_size=1x1",
                    "direct,vectors:4") == 4);
    CHECK(positions("cross_correlation in=1x28x28x512 out_channels=128 kernel_size=1x1", "direct,vectors:4") >
          5);
    CHECK(positions("cross_correlation in=1x28x28x512 out_channels=512 kernel_size=3x3 padding=same",
                    "winograd,vectors:4") > 5);
    // One position reads the kernel once in any case.
    CHECK(positions("dense in=1x1x1x2048 out_channels=1000", "direct,vectors:8") == 1);
}

TEST_CASE("More accumulators than just hide the latency are worth a little waste", "[schedules]") {
    const auto positions = [](std::string_view problem) {
        return choose_schedule(situation_of(problem, "x86-64-linux-avx2"), "direct,vectors:2", "")
            .knobs.get("positions");
    };
    // Of a strip's 224 positions five and six waste little; of 49, five waste one and six waste five.
    CHECK(positions("cross_correlation in=1x56x56x64 out_channels=256 kernel_size=1x1") == 6);
    CHECK(positions("cross_correlation in=1x7x7x512 out_channels=2048 kernel_size=1x1") == 5);
}

TEST_CASE("Output channels that no few vectors divide end in a masked block", "[schedules]") {
    // 125 vectors, and 126.
    const Situation uneven = situation_of("dense in=8x1x1x2048 out_channels=1000", "x86-64-linux-avx2"),
                    even = situation_of("dense in=8x1x1x2048 out_channels=1008", "x86-64-linux-avx2");
    const Knobs knobs = choose_schedule(uneven, "direct", "").knobs;
    CHECK(knobs.get("vectors") == 3);
    CHECK(knobs.get("positions") == 4);
    CHECK(choose_schedule(uneven, "direct,vectors:4,positions:2", "").error == "");
    CHECK(choose_schedule(even, "direct,vectors:4,positions:2", "").error != "");
}

TEST_CASE("Strips of a 1x1 convolution may have rows of several images", "[schedules]") {
    const auto strip = [](std::string_view problem) {
        return choose_schedule(situation_of(problem, "x86-64-linux-avx2"), "direct", "").knobs.get("strip");
    };
    CHECK(strip("cross_correlation in=8x7x7x576 out_channels=160 kernel_size=1x1") > 7);
    CHECK(strip("cross_correlation in=?x7x7x576 out_channels=160 kernel_size=1x1") == 7);
    CHECK(strip("cross_correlation in=8x7x7x576 out_channels=160 kernel_size=3x3 padding=same") == 7);
}

TEST_CASE("Strips take more of the L2 cache where else none of a far larger input would stay",
          "[schedules]") {
    const auto strip = [](std::string_view problem) {
        return choose_schedule(situation_of(problem, "x86-64-linux-avx2"), "direct", "").knobs.get("strip");
    };
    // Eight rows are 448 KiB, of 512; all are 6.1 MiB, and of one image 0.8. Four rows of 28x28 are 224 KiB.
    CHECK(strip("cross_correlation in=8x14x14x1024 out_channels=512 kernel_size=1x1") == 8);
    CHECK(strip("cross_correlation in=1x14x14x1024 out_channels=512 kernel_size=1x1") == 14);
    CHECK(strip("cross_correlation in=8x28x28x512 out_channels=256 kernel_size=1x1") == 4);
}

TEST_CASE("A map that is padded as a whole has room in the L2 cache", "[schedules]") {
    const auto strip = [](std::string_view channels) {
        const std::string problem =
            fmt::format("cross_correlation in={} kernel_size=3x3 stride=2 padding=1", channels);
        return choose_schedule(situation_of(problem, "x86-64-linux-avx512"), "direct", "").knobs.get("strip");
    };
    CHECK(strip("1x28x28x256 out_channels=256") == 14); // all rows, 0.9 MiB
    CHECK(strip("1x56x56x128 out_channels=128") < 28);  // 1.6 MiB
    CHECK(strip("1x224x224x3 out_channels=64") < 112);  // of 336 rows of windows one meets padding
}

TEST_CASE("Depthwise tiles go through few places of memory where maps come from far", "[schedules]") {
    const auto columns = [](std::string_view maps) {
        const std::string problem = fmt::format("cross_correlation in={} kernel_size=3x3 padding=1", maps);
        return choose_schedule(situation_of(problem, "x86-64-linux-avx2"), "depthwise", "")
            .knobs.get("columns");
    };
    CHECK(columns("1x56x56x144 out_channels=144 groups=144") > 4);
    CHECK(columns("8x56x56x144 out_channels=144 groups=144") == 4);
    CHECK(columns("8x112x112x32 out_channels=32 groups=32") == 4);
    CHECK(columns("8x112x112x96 out_channels=96 groups=96 stride=2") == 2);
    CHECK(columns("1x112x112x96 out_channels=96 groups=96 stride=2") == 4);
    CHECK(columns("1x28x28x192 out_channels=192 groups=192 stride=2") > 4);
}

TEST_CASE("Results of a strip stay in the L2 cache until the next block of channels is due", "[schedules]") {
    const auto rows = [](std::string_view problem) {
        return choose_schedule(situation_of(problem, "x86-64-linux-avx512"), "direct", "").knobs.get("strip");
    };
    // 56 KiB a row, and as much of the residual.
    CHECK(rows("cross_correlation in=1x56x56x64 out_channels=256 kernel_size=1x1") == 8);
    CHECK(rows("cross_correlation in=1x56x56x64 out_channels=256 kernel_size=1x1 epilogue=residual") == 4);
}

TEST_CASE("Kernels that do not stay in the L2 cache are fetched ahead", "[schedules]") {
    const auto is_ahead = [](std::string_view problem, const std::string& family) {
        const Choice choice = choose_schedule(situation_of(problem, "x86-64-linux-avx512"), family, "");
        REQUIRE(choice.error == "");
        return choice.knobs.get("ahead") == 1;
    };
    CHECK(is_ahead("cross_correlation in=1x14x14x1024 out_channels=256 kernel_size=1x1", "direct")); // 1 MiB
    CHECK(!is_ahead("cross_correlation in=1x28x28x512 out_channels=256 kernel_size=1x1", "direct"));
    // 72 MiB transformed, and 0.6.
    CHECK(is_ahead("cross_correlation in=1x28x28x512 out_channels=1024 kernel_size=3x3 padding=same",
                   "winograd"));
    CHECK(!is_ahead("cross_correlation in=1x56x56x64 out_channels=64 kernel_size=3x3 padding=same",
                    "winograd"));
}

TEST_CASE("Inputs that come from memory are fetched ahead", "[schedules]") {
    const auto ahead = [](std::string_view problem, const std::string& family) {
        const Choice choice = choose_schedule(situation_of(problem, "x86-64-linux-avx2"), family, "");
        REQUIRE(choice.error == "");
        return choice.knobs.get("ahead");
    };
    // 17 MB of maps, and 2 MB. A kernel of 1 MiB is fetched as well, and results of several blocks.
    CHECK(ahead("cross_correlation in=8x56x56x144 out_channels=24 kernel_size=1x1", "direct") == 2);
    CHECK(ahead("cross_correlation in=1x56x56x144 out_channels=24 kernel_size=1x1", "direct") == 0);
    CHECK(ahead("cross_correlation in=64x14x14x1024 out_channels=256 kernel_size=1x1", "direct,strip:7") ==
          7);
    CHECK(ahead("cross_correlation in=8x224x224x3 out_channels=64 kernel_size=7x7 stride=2", "direct") == 4);
    const std::string residual =
        "cross_correlation in=1x56x56x64 out_channels=256 kernel_size=1x1 epilogue=residual";
    CHECK(ahead(residual, "direct") == 4);
    CHECK(ahead("cross_correlation in=1x7x7x64 out_channels=256 kernel_size=1x1 epilogue=residual",
                "direct") == 0);
    // Strips are short enough for it where more is stored than read: seven rows of all images', not sixteen.
    CHECK(ahead("cross_correlation in=8x28x28x128 out_channels=512 kernel_size=1x1 epilogue=residual",
                "direct") == 6);
    // A position has two lines or one.
    CHECK(ahead("cross_correlation in=8x56x56x64 out_channels=64 kernel_size=1x1", "direct") == 4);
    CHECK(ahead("cross_correlation in=8x112x112x16 out_channels=96 kernel_size=1x1", "direct") == 4);
    CHECK(ahead("cross_correlation in=8x112x112x32 out_channels=16 kernel_size=1x1", "direct") == 0);
    // An image of 1.8 MB, of 0.15 MB; and rows of a gradient that meet none of the map's.
    const std::string depthwise = "cross_correlation{} in={} kernel_size=3x3 padding=1{}";
    const auto of = [&](const char* gradient, const char* map, const char* stride) {
        return ahead(fmt::format(fmt::runtime(depthwise), gradient, map, stride), "depthwise");
    };
    CHECK(of("", "1x56x56x144 out_channels=144 groups=144", "") == 1);
    CHECK(of("", "1x14x14x192 out_channels=192 groups=192", "") == 0);
    CHECK(of("_input_gradient", "8x56x56x144 out_channels=144 groups=144", "") == 1);
    CHECK(of("_input_gradient", "8x56x56x144 out_channels=144 groups=144", " stride=2") == 0);
}

TEST_CASE("Gradients of 1x1 kernels are summed from maps as they are where strips stay in the L1 cache",
          "[schedules]") {
    const auto family = [](std::string_view problem, std::string_view target = "x86-64-linux-avx2") {
        const Choice choice = choose_schedule(situation_of(problem, target), "", "");
        CHECK(choice.error == "");
        return choice.family->name;
    };
    for (const char* problem :
         {"cross_correlation_kernel_gradient in=1x112x112x16 out_channels=96 kernel_size=1x1",
          "cross_correlation_kernel_gradient in=1x56x56x256 out_channels=64 kernel_size=1x1"})
        CHECK(family(problem) == "pointwise_kernel_gradient");
    // Rows of a strip that are too long, and positions 2 KiB apart.
    for (const char* problem :
         {"cross_correlation_kernel_gradient in=1x7x7x512 out_channels=2048 kernel_size=1x1",
          "cross_correlation_kernel_gradient in=1x28x28x128 out_channels=512 kernel_size=1x1"})
        CHECK(family(problem) == "kernel_gradient");
    // 24 output channels are three vectors of AVX2, but of AVX-512 only the 96 input channels are whole ones.
    const char* narrow = "cross_correlation_kernel_gradient in=1x56x56x96 out_channels=24 kernel_size=1x1";
    for (const char* target : {"x86-64-linux-avx2", "x86-64-linux-avx512"})
        CHECK(family(narrow, target) == "pointwise_kernel_gradient");
}

TEST_CASE("Defaults leave a second thread strips or blocks of channels", "[schedules]") {
    struct Layer {
        const char* problem;
        int rows; // of the output
    };
    for (const char* target : {"x86-64-linux-avx2", "x86-64-linux-avx512"})
        for (const auto& [problem, rows] :
             {Layer{"separable_convolution in=1x14x14x384 out_channels=32 kernel_size=3x3 padding=same", 14},
              Layer{"pooled_cross_correlation in=1x224x224x3 out_channels=32 kernel_size=7x7 stride=2x2 "
                    "padding=3x3 pool_kernel_size=3x3 pool_stride=2x2 pool_padding=1x1",
                    56},
              Layer{"cross_correlation_input_gradient in=1x63x63x32 out_channels=32 kernel_size=3x3 "
                    "stride=3x3 epilogue=none",
                    21}}) { // of a phase
            const Choice choice = choose_schedule(situation_of(problem, target), "", "");
            REQUIRE(choice.error == "");
            INFO(problem << " on " << target << ": " << to_text(choice.family->name, choice.knobs));
            REQUIRE(choice.knobs.has("strip"));
            const int block = choice.knobs.get("vectors") * find_target(target)->lanes();
            CHECK(rows / choice.knobs.get("strip") * (32 / std::min(block, 32)) >= 2);
        }
}
