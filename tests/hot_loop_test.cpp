#include "generators/compile.hpp"
#include "generators/temporary_folder.hpp"
#include "tests/support/assemble.hpp"
#include "tests/support/random.hpp"
#include "tuner/hot_loop.hpp"
#include "tuner/instruction_kind.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

using namespace lamina;
using namespace lamina::testing;

namespace {

constexpr std::string_view plain =
    "cross_correlation in=1x56x56x64 out_channels=64 kernel_size=3 padding=same";

// The bytes of the call's object.
std::string compiled(std::string_view problem, std::string_view target, const std::string& schedule) {
    const ParsedProblem parsed = parse_problem(problem);
    REQUIRE(parsed.error.view() == "");
    const lamina::TemporaryFolder folder;
    const CompiledKernel kernel =
        compile_kernel({"kernel", parsed.problem, schedule}, {{find_target(target)}, "", folder.path()});
    REQUIRE(kernel.error == "");
    return file_bytes(kernel.call.objects.at(0));
}

HotLoop hot_loop(const std::string& object, std::string_view function = "") {
    HotLoopSearch search = find_hot_loop(object, function);
    REQUIRE(search.reason == "");
    REQUIRE(search.loop.has_value());
    return std::move(*search.loop);
}

HotLoop x86_loop(const std::string& body) {
    return hot_loop(assemble_function(Architecture::x86_64, body));
}

} // namespace

TEST_CASE("The hot loop of direct is its register tile, times the unrolled channels", "[loops]") {
    struct Tile {
        std::string_view target;
        int vectors, positions, lanes;
    };
    const auto [target, vectors, positions, lanes] = GENERATE(
        Tile{"x86-64-linux-avx2", 2, 6, 8}, Tile{"x86-64-linux-avx2", 3, 3, 8},
        Tile{"x86-64-linux-avx512", 2, 12, 16}, Tile{"x86-64-linux", 1, 6, 4}, Tile{"arm-64-linux", 2, 8, 4});
    const std::string channels = vectors == 3 ? "96" : "64";
    for (const int unroll : {1, 2, 4}) {
        const std::string schedule =
            fmt::format("direct,vectors:{},positions:{},unroll:{}", vectors, positions, unroll);
        INFO(target << " " << schedule);
        const HotLoop loop = hot_loop(compiled("cross_correlation in=1x56x56x64 out_channels=" + channels +
                                                   " kernel_size=3 padding=same",
                                               target, schedule));
        CHECK_THAT(loop.function, Catch::StartsWith("kernel_par_for_"));
        CHECK(loop.counts.multiply_adds == vectors * positions * unroll);
        CHECK(loop.counts.products == loop.counts.multiply_adds * lanes);
        CHECK(loop.counts.spills == 0);
        CHECK(loop.counts.stores == 0);
        CHECK(loop.counts.loads >= vectors * unroll);
        std::size_t last = 0;
        for (const LoopLine& line : loop.lines) {
            CHECK(line.text != "(unknown)");
            last = line.offset;
        }
        CHECK(loop.code.size() > last - loop.lines[0].offset);
        CHECK_THAT(loop.lines.back().text, Catch::EndsWith(fmt::format(" 0x{:x}", loop.lines[0].offset)));
    }
}

TEST_CASE("Positions of a tile that divides a row have one address", "[loops]") {
    for (const char* layer : {"in=1x112x112x32 out_channels=16 kernel_size=1x1",
                              "in=1x112x112x32 out_channels=16 kernel_size=3 padding=same",
                              "in=1x56x56x32 out_channels=16 kernel_size=3 stride=2 padding=1x1"})
        for (const int positions : {14, 28}) {
            const std::string schedule = fmt::format("direct,vectors:1,positions:{},unroll:1", positions);
            INFO(layer << " " << schedule);
            const LoopCounts counts = hot_loop(compiled(fmt::format("cross_correlation {}", layer),
                                                        "x86-64-linux-avx512", schedule))
                                          .counts;
            CHECK(counts.multiply_adds == positions);
            CHECK(counts.loads == positions + 1);
            CHECK(counts.spills == 0);
        }
}

TEST_CASE("Gradients of depthwise kernels stay in registers by default", "[loops]") {
    for (const char* target : {"x86-64-linux-avx2", "x86-64-linux-avx512"})
        for (const char* map :
             {"in=1x14x14x576 out_channels=576 groups=576", "in=1x56x56x144 out_channels=144 groups=144"}) {
            INFO(map << " on " << target);
            const std::string problem = fmt::format(
                "cross_correlation_kernel_gradient {} kernel_size=3 padding=same epilogue=none", map);
            CHECK(hot_loop(compiled(problem, target, "depthwise_kernel_gradient")).counts.spills == 0);
        }
}

TEST_CASE("The loop of a pool is the one with the most arithmetic", "[loops]") {
    const HotLoop loop = hot_loop(compiled("max_pool in=1x112x112x64 kernel_size=3 stride=2 padding=1",
                                           "x86-64-linux-avx2", "pool,columns:4"));
    CHECK(loop.counts.multiply_adds == 0);
    CHECK(loop.counts.products == 0);
    CHECK(loop.counts.arithmetic >= 4 * 8);
    CHECK(loop.counts.arithmetic_elements == 8 * loop.counts.arithmetic);
    CHECK(loop.counts.spills == 0);
}

TEST_CASE("Accesses through the stack's pointer are spills, through the frame's only where there is one",
          "[loops]") {
    const std::string loop = "again:\n"
                             "vmovups ymm1, [rsp + 64]\n"
                             "vfmadd231ps ymm0, ymm1, [rdi + rsi]\n"
                             "vmovups [rsp + 64], ymm0\n"
                             "vaddps ymm2, ymm2, [rbp - 32]\n"
                             "add qword ptr [rsp], 8\n"
                             "prefetcht0 [rsp + 256]\n"
                             "dec rcx\n"
                             "jne again\n"
                             "ret";
    const LoopCounts without = x86_loop(loop).counts;
    CHECK(without.multiply_adds == 1);
    CHECK(without.loads == 4);
    CHECK(without.stores == 2);
    CHECK(without.spills == 4);
    CHECK(x86_loop("push rbp\nmov rbp, rsp\n" + loop).counts.spills == 5);

    const HotLoop arm = hot_loop(assemble_function(Architecture::arm_64, "again:\n"
                                                                         "ldr q6, [sp, #192]\n"
                                                                         "fmla v6.4s, v1.4s, v5.s[0]\n"
                                                                         "stp q4, q6, [sp, #176]\n"
                                                                         "ld1r { v2.4s }, [x9], #4\n"
                                                                         "subs x1, x1, #1\n"
                                                                         "b.ne again\n"
                                                                         "ret"));
    CHECK(arm.counts.multiply_adds == 1);
    CHECK(arm.counts.products == 4);
    CHECK(arm.counts.loads == 2);
    CHECK(arm.counts.stores == 1);
    CHECK(arm.counts.spills == 2);
    CHECK(arm.counts.broadcasts == 1);
}

TEST_CASE("Multiplications and additions count as pairs where nothing is fused", "[loops]") {
    const LoopCounts counts = x86_loop("again:\n"
                                       "movss xmm2, [rdi]\n"
                                       "shufps xmm2, xmm2, 0\n"
                                       "mulps xmm2, xmm3\n"
                                       "addps xmm0, xmm2\n"
                                       "mulps xmm4, xmm3\n"
                                       "addps xmm1, xmm4\n"
                                       "addps xmm5, xmm6\n"
                                       "add rdi, 4\n"
                                       "dec rcx\n"
                                       "jne again\n"
                                       "ret")
                                  .counts;
    CHECK(counts.multiply_adds == 2);
    CHECK(counts.products == 8);
    CHECK(counts.arithmetic == 5);
    CHECK(counts.broadcasts == 1);
    CHECK(counts.loads == 1);
}

TEST_CASE("Of several loops the innermost with the most multiply-adds is hot", "[loops]") {
    const std::string body = "outer:\n"
                             "scalars:\n"
                             "vfmadd231ss xmm0, xmm1, xmm2\n"
                             "vfmadd231ss xmm0, xmm1, xmm2\n"
                             "vfmadd231ss xmm0, xmm1, xmm2\n"
                             "dec rax\n"
                             "jne scalars\n"
                             "vectors:\n"
                             "vfmadd231ps ymm0, ymm1, ymm2\n"
                             "jmp test\n" // a loop with a jump inside it
                             "test:\n"
                             "dec rdx\n"
                             "jne vectors\n"
                             "vfmadd231ps ymm0, ymm1, ymm2\n"
                             "dec rcx\n"
                             "jne outer\n"
                             "ret";
    const HotLoop loop = x86_loop(body);
    CHECK(loop.counts.multiply_adds == 1);
    CHECK(loop.counts.products == 8);
    CHECK(loop.lines.size() == 4);
    CHECK_THAT(loop.lines[0].text, Catch::StartsWith("vfmadd231ps"));
}

TEST_CASE("A jump back from code that was moved out of the way is no loop", "[loops]") {
    const HotLoopSearch search =
        find_hot_loop(assemble_function(Architecture::x86_64, "test rdi, rdi\n"
                                                              "je rare\n"
                                                              "back:\n"
                                                              "vfmadd231ps ymm0, ymm1, ymm2\n"
                                                              "ret\n"
                                                              "rare:\n"
                                                              "inc rdi\n"
                                                              "jmp back"));
    CHECK_FALSE(search.loop.has_value());
    CHECK(search.reason == "no loop does arithmetic on floats or vectors");
}

TEST_CASE("A function's name limits the search to it and its parallel loops", "[loops]") {
    const auto function = [](const std::string& name, int multiply_adds) {
        std::string text = fmt::format(".globl {0}\n.type {0},%function\n{0}:\n1:\n", name);
        for (int i = 0; i < multiply_adds; ++i)
            text += "vfmadd231ps ymm0, ymm1, ymm2\n";
        return text + fmt::format("dec rcx\njne 1b\nret\n.size {0}, .-{0}\n", name);
    };
    const std::string object =
        assemble(Architecture::x86_64, ".text\n" + function("first", 1) + function("first_par_for_y", 2) +
                                           function("firstborn", 3) + function("second", 4));
    CHECK(hot_loop(object).function == "second");
    CHECK(hot_loop(object, "first").function == "first_par_for_y");
    CHECK(hot_loop(object, "firstborn").counts.multiply_adds == 3);
    CHECK(find_hot_loop(object, "third").reason == "no function 'third'");
}

TEST_CASE("Instructions are told by their text", "[loops]") {
    const auto products = [](std::string_view text) { return instruction_kind(text).products; };
    CHECK(products("vfmadd231ps zmm0 {k1}, zmm1, zmm2") == 16);
    CHECK(products("vfnmadd213pd ymm0, ymm1, ymmword ptr [rax]") == 4);
    CHECK(products("vfmadd231ss xmm0, xmm1, xmm2") == 1);
    CHECK(products("vpdpbusd ymm0, ymm1, ymm2") == 32);
    CHECK(products("vdpbf16ps zmm0, zmm1, zmm2") == 32);
    CHECK(products("fmla v0.2d, v1.2d, v2.2d") == 2);
    CHECK(products("fmla z0.s, p0/m, z1.s, z2.s") == 4);
    CHECK(products("fmadd s0, s1, s2, s3") == 1);
    CHECK(products("sdot v0.4s, v1.16b, v2.16b") == 16);
    CHECK(products("madd x0, x1, x2, x3") == 0);
    const auto elements = [](std::string_view text) { return instruction_kind(text).arithmetic_elements; };
    CHECK(elements("vmaxps ymm0, ymm1, ymmword ptr [rax]") == 8);
    CHECK(elements("pmaxsd xmm0, xmm1") == 4);
    CHECK(elements("vpaddb ymm0, ymm1, ymm2") == 32);
    CHECK(elements("fmaxnm v0.4s, v1.4s, v2.4s") == 4);
    CHECK(elements("umax v0.16b, v1.16b, v2.16b") == 16);
    for (const char* text : {"add rsi, 0x10", "sub sp, sp, #16", "sub esp, 8", "sub dl, 1", "add x14, x6, x1",
                             "vmovups ymm0, ymmword ptr [rax]", "nop", ""})
        CHECK(elements(text) == 0);
    for (const char* text :
         {"vbroadcastss ymm14, dword ptr [rax]", "vfmadd231ps zmm0, zmm1, dword ptr [rax]{1to16}",
          "pshufd xmm0, xmm1, 0x0", "ld1r { v2.4s }, [x9], #4", "dup v0.4s, w1"})
        CHECK(instruction_kind(text).is_broadcast);
    CHECK_FALSE(instruction_kind("shufps xmm0, xmm1, 0x44").is_broadcast);
}

TEST_CASE("What is no object is refused with a reason", "[loops]") {
    CHECK(find_hot_loop("").reason == "not an ELF object");
    CHECK(find_hot_loop("!<arch>\nlibrary with more than sixty-four bytes of text and then some").reason ==
          "not an ELF object");
    std::string object = assemble_function(Architecture::x86_64, "ret");
    CHECK(find_hot_loop(object).reason == "no loop does arithmetic on floats or vectors");
    object[18] = static_cast<char>(243); // RISC-V
    CHECK_THAT(find_hot_loop(object).reason, Catch::Contains("machine 243"));
    object[16] = 2; // an executable
    CHECK_THAT(find_hot_loop(object).reason, Catch::Contains("not an object file"));
    object[4] = 1; // of 32 bits
    CHECK_THAT(find_hot_loop(object).reason, Catch::Contains("64-bit"));
}

TEST_CASE("A truncated object is refused, and damage to any byte ends nothing", "[loops]") {
    for (const Architecture architecture : {Architecture::x86_64, Architecture::arm_64}) {
        const bool is_x86 = architecture == Architecture::x86_64;
        const std::string object =
            assemble_function(architecture, is_x86 ? "1:\nvfmadd231ps ymm0, ymm1, ymm2\ndec rcx\njne 1b\nret"
                                                   : "1:\nfmla v0.4s, v1.4s, v2.4s\nsubs x1, x1, #1\n"
                                                     "b.ne 1b\nret");
        REQUIRE(find_hot_loop(object).loop.has_value());
        for (std::size_t size = 0; size < object.size(); ++size) {
            INFO(size << " of " << object.size() << " bytes");
            CHECK(find_hot_loop(object.substr(0, size)).reason != "");
        }
        Random random(3);
        for (int i = 0; i < 20'000; ++i) {
            std::string damaged = object;
            for (int changes = random.between(1, 3); changes > 0; --changes)
                damaged[static_cast<std::size_t>(random.below(static_cast<int>(object.size())))] =
                    static_cast<char>(random.below(256));
            const HotLoopSearch search = find_hot_loop(damaged);
            CHECK(search.loop.has_value() == search.reason.empty());
        }
    }
}
