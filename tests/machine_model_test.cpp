#include "generators/scratch.hpp"
#include "generators/temporary_folder.hpp"
#include "tests/support/assemble.hpp"
#include "tests/support/lowered_loops.hpp"
#include "tests/support/random.hpp"
#include "tuner/loop_report.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <algorithm>

using namespace lamina;
using namespace lamina::testing;

namespace {

HotLoop loop_of(Architecture architecture, const std::string& body) {
    const HotLoopSearch search = find_hot_loop(assemble_function(architecture, body));
    REQUIRE(search.reason == "");
    return *search.loop;
}

// A loop of `count` multiply-adds into each of `chains` vectors.
HotLoop multiply_adds(int chains, int count, const std::string& more = "") {
    std::string body = "1:\n" + more;
    for (int i = 0; i < count; ++i)
        for (int chain = 0; chain < chains; ++chain)
            body += fmt::format("vfmadd231ps ymm{}, ymm14, ymm15\n", chain);
    return loop_of(Architecture::x86_64, body + "dec rcx\njne 1b\nret");
}

LoopBound bound(const HotLoop& loop, const std::string& cpu, int vector_bytes = 32) {
    LoopBound bound = bound_loop(loop, cpu, vector_bytes);
    REQUIRE(bound.error == "");
    return bound;
}

KernelRequest direct_kernel() {
    const ParsedProblem parsed =
        parse_problem("cross_correlation in=1x28x28x32 out_channels=32 kernel_size=3 padding=same");
    REQUIRE(parsed.error.view() == "");
    return {"kernel", parsed.problem, "direct,vectors:2,positions:6,strip:14,unroll:4"};
}

} // namespace

TEST_CASE("Independent multiply-adds run at the model's peak", "[loops]") {
    for (const char* cpu : {"skylake", "haswell", "znver3", "znver4", "alderlake"}) {
        INFO(cpu);
        const LoopBound b = bound(multiply_adds(12, 2), cpu);
        CHECK(b.model == cpu);
        CHECK(b.model_reason == "");
        CHECK(b.peak_products_per_cycle == Approx(16));
        CHECK(b.cycles == Approx(12).epsilon(0.03));
        CHECK(b.fraction_of_peak() == Approx(1).epsilon(0.03));
        CHECK(b.gflops_per_ghz() == Approx(32).epsilon(0.03));
        CHECK(b.by_line.size() == 26);
    }
}

TEST_CASE("A chain of multiply-adds waits for their latency", "[loops]") {
    const LoopBound b = bound(multiply_adds(1, 8), "skylake");
    CHECK(b.cycles == Approx(8 * 4));
    CHECK(b.fraction_of_peak() == Approx(0.125));
    CHECK_THAT(b.bottleneck, Catch::Contains("dependencies"));
}

TEST_CASE("A bound is never below what the ports need, and grows with the loop", "[loops]") {
    for (const char* cpu : {"skylake", "znver3", "sandybridge", "cascadelake"}) {
        double last = 0;
        for (const int count : {1, 2, 4, 8}) {
            const HotLoop loop = multiply_adds(10, count);
            const LoopBound b = bound_loop(loop, cpu, 32);
            INFO(cpu << " " << count << " " << b.error);
            if (!b.error.empty()) { // no fused multiply-adds there
                CHECK_THAT(b.error, Catch::Contains("does not have the instruction vfmadd231ps"));
                continue;
            }
            CHECK(b.cycles >= 5 * count - 0.01);
            CHECK(b.cycles > last);
            CHECK(b.fraction_of_peak() <= 1.0);
            last = b.cycles;
            for (const PortUse& use : b.ports)
                CHECK(use.cycles <= b.cycles * 1.02);
        }
    }
    std::string spills;
    for (int i = 0; i < 8; ++i)
        spills += fmt::format("vmovups [rsp + {0}], ymm{1}\nvmovups ymm{1}, [rsp + {0}]\n", 32 * i, i);
    const HotLoop spilling = multiply_adds(12, 1, spills);
    CHECK(spilling.counts.spills == 16);
    CHECK(bound(spilling, "skylake").cycles > bound(multiply_adds(12, 1), "skylake").cycles + 1);
}

TEST_CASE("The fullest port is the bottleneck", "[loops]") {
    std::string shuffles = "1:\nvfmadd231ps ymm0, ymm14, ymm15\n";
    for (int i = 1; i < 9; ++i)
        shuffles += fmt::format("vpermps ymm{}, ymm14, ymm15\n", i);
    const LoopBound b = bound(loop_of(Architecture::x86_64, shuffles + "dec rcx\njne 1b\nret"), "skylake");
    CHECK(b.cycles == Approx(8).epsilon(0.05));
    CHECK_THAT(b.bottleneck, Catch::Contains("SKLPort5 "));
    const auto port = std::find_if(b.ports.begin(), b.ports.end(),
                                   [](const PortUse& use) { return use.port == "SKLPort5"; });
    REQUIRE(port != b.ports.end());
    CHECK(port->cycles == Approx(8).epsilon(0.05));
}

TEST_CASE("Wide vectors are bounded on machines that this one is not", "[loops]") {
    std::string body = "1:\n";
    for (int i = 0; i < 24; ++i)
        body += fmt::format("vfmadd231ps zmm{}, zmm30, dword ptr [rdi + {}]{{1to16}}\n", i, 4 * i);
    const HotLoop loop = loop_of(Architecture::x86_64, body + "dec rcx\njne 1b\nret");
    CHECK(loop.counts.products == 24 * 16);
    CHECK(loop.counts.broadcasts == 24);
    const LoopBound skylake = bound(loop, "skylake-avx512", 64);
    CHECK(skylake.peak_products_per_cycle == Approx(32));
    CHECK(skylake.fraction_of_peak() == Approx(1).epsilon(0.05));
    CHECK(bound(loop, "znver4", 64).peak_products_per_cycle == Approx(16));
    const LoopBound none = bound_loop(loop, "znver3", 64);
    CHECK_THAT(none.error, Catch::Contains("znver3") && Catch::Contains("vfmadd231ps zmm0"));
}

TEST_CASE("64-bit ARM is bounded too, in order and out of order", "[loops]") {
    std::string body = "1:\n";
    for (int i = 0; i < 16; ++i)
        body += fmt::format("fmla v{}.4s, v30.4s, v31.s[0]\n", i);
    const HotLoop loop = loop_of(Architecture::arm_64, body + "subs x1, x1, #1\nb.ne 1b\nret");
    const LoopBound n1 = bound(loop, "neoverse-n1", 16);
    CHECK(n1.cycles == Approx(8).epsilon(0.05));
    CHECK(n1.fraction_of_peak() == Approx(1).epsilon(0.05));
    CHECK(bound(loop, "neoverse-v1", 16).cycles < n1.cycles);
    CHECK(bound(loop, "cortex-a55", 16).cycles >= n1.cycles);
}

TEST_CASE("Where a model is known to be wrong another one stands in, and says why", "[loops]") {
    CHECK(model_for("znver5", 64).name == "skylake-avx512");
    CHECK_THAT(model_for("znver5", 64).reason, Catch::Contains("512-bit"));
    CHECK(model_for("znver5", 32).name == "znver5");
    CHECK(model_for("cortex-a76", 16).name == "neoverse-n1");
    CHECK(model_for("znver3", 32).reason == "");
    const HotLoop loop = loop_of(Architecture::arm_64, "1:\nfmla v0.4s, v1.4s, v2.4s\nb.ne 1b\nret");
    CHECK(bound(loop, "cortex-a76", 16).model == "neoverse-n1");
    for (const Architecture architecture : {Architecture::x86_64, Architecture::arm_64})
        for (const std::string& cpu : modelled_cpus(architecture)) {
            const std::vector<std::string> known = modelled_cpus(architecture);
            CHECK(std::count(known.begin(), known.end(), model_for(cpu, 64).name) == 1);
        }
}

TEST_CASE("A CPU that LLVM does not model is refused by names that it does", "[loops]") {
    const TargetFacts& avx2 = *find_target("x86-64-linux-avx2");
    CHECK(choose_cpu(avx2, "znver2").name == "znver2");
    CHECK_THAT(choose_cpu(avx2, "znver33").error,
               Catch::Contains("'znver33'") && Catch::Contains("near it are znver3"));
    CHECK_THAT(choose_cpu(avx2, "cortex-a76").error, Catch::Contains("'cortex-a76'"));
    CHECK_THAT(bound_loop(multiply_adds(1, 1), "pdp-11", 32).error, Catch::Contains("'pdp-11'"));
    CHECK(choose_cpu(*find_target("x86-64-linux-opencl"), "").error != "");
}

TEST_CASE("Every CPU target has a CPU to be modelled on, whose model knows its vectors", "[loops]") {
    for (const TargetFacts& target : target_table()) {
        if (target.is_gpu)
            continue;
        INFO(target.name);
        CHECK(choose_cpu(target, "").error == "");
        const CpuChoice usual = choose_cpu(target, std::string(target.cpu));
        REQUIRE(usual.error == "");
        const LoopReport report = [&] {
            const lamina::TemporaryFolder folder;
            KernelRequest request = direct_kernel();
            request.schedule = "direct";
            return inspect(compile_kernel(request, {{&target}, "", folder.path()}), target, usual.name);
        }();
        CHECK(report.reason == "");
        CHECK(report.bound.fraction_of_peak() > 0.3);
        CHECK(report.bound.fraction_of_peak() <= 1.0);
    }
}

TEST_CASE("A loop that calls a function has no bound", "[loops]") {
    const HotLoop loop = loop_of(Architecture::x86_64, "1:\nvfmadd231ps ymm0, ymm14, ymm15\ncall elsewhere\n"
                                                       "dec rcx\njne 1b\nret");
    CHECK_THAT(bound_loop(loop, "skylake", 32).error, Catch::Contains("calls functions"));
}

TEST_CASE("A loop with bytes that are no instruction has no bound", "[loops]") {
    const HotLoop loop = loop_of(Architecture::x86_64, "1:\nvfmadd231ps ymm0, ymm14, ymm15\njmp 2f\n.byte 6\n"
                                                       "2:\ndec rcx\njne 1b\nret");
    CHECK(loop.lines.at(2).text == "(unknown)");
    CHECK_THAT(bound_loop(loop, "skylake", 32).error, Catch::Contains("no instruction"));
    Random random(4);
    for (int i = 0; i < 500; ++i) { // what a damaged loop decodes to is modelled or refused, and ends nothing
        HotLoop damaged = multiply_adds(4, 2);
        for (int changes = random.between(1, 4); changes > 0; --changes)
            damaged.code[static_cast<std::size_t>(random.below(static_cast<int>(damaged.code.size())))] =
                static_cast<std::uint8_t>(random.below(256));
        const LoopBound b = bound_loop(damaged, "skylake-avx512", 32);
        CHECK(b.error.empty() == (b.cycles > 0));
    }
}

TEST_CASE("A kernel's report is the same from its files and after loading", "[loops]") {
    const TargetFacts& target = *find_target("x86-64-linux-avx2");
    const lamina::TemporaryFolder folder;
    const CompiledKernel kernel = compile_kernel(direct_kernel(), {{&target}, "", folder.path()});
    REQUIRE(kernel.error == "");
    const LoopReport report = inspect(kernel, target, "skylake");
    REQUIRE(report.reason == "");
    CHECK(report.loop->counts.multiply_adds == 48);
    CHECK(report.spills() == 0);
    CHECK(report.bound_fraction().value_or(0) == Approx(1).epsilon(0.05));
    if (!can_run_here(target))
        return;
    const LoopReport loaded = inspect(load_kernel(direct_kernel(), target, ""), target, "skylake");
    if (LAMINA_ASAN_KERNELS == 0) { // instrumented ones check every address
        CHECK(loaded.loop->code == report.loop->code);
        CHECK(loaded.bound.cycles == report.bound.cycles);
    }
}

TEST_CASE("A tile whose accumulators do not stay in registers shows it, and a smaller one is bounded better",
          "[loops]") {
    const TargetFacts& target = *find_target("arm-64-linux");
    const auto report = [&](const std::string& schedule) {
        const lamina::TemporaryFolder folder;
        KernelRequest request = direct_kernel();
        request.schedule = schedule;
        return inspect(compile_kernel(request, {{&target}, "", folder.path()}), target, "neoverse-n1");
    };
    const LoopReport large = report("direct,vectors:1,positions:24,unroll:8"),
                     small = report("direct,vectors:2,positions:8,unroll:2");
    CHECK(large.spills().value_or(0) > 0);
    CHECK(small.spills() == 0);
    CHECK(small.bound_fraction().value_or(0) > large.bound_fraction().value_or(1));
}

TEST_CASE("A device's kernel and one that multiplies nothing have no bound to compare with", "[loops]") {
    const TargetFacts& device = *find_target("x86-64-linux-opencl");
    const LoopReport none = inspect(CompiledKernel{}, device);
    CHECK(none.reason == "its loops run on a device");
    CHECK_FALSE(none.spills().has_value());
    CHECK_FALSE(none.bound_fraction().has_value());
    const TargetFacts& target = *find_target("x86-64-linux-avx2");
    const lamina::TemporaryFolder folder;
    KernelRequest request = direct_kernel();
    request.problem = parse_problem("max_pool in=1x28x28x32 kernel_size=3").problem;
    request.schedule = "";
    const LoopReport pool =
        inspect(compile_kernel(request, {{&target}, "", folder.path()}), target, "skylake");
    CHECK(pool.reason == "");
    CHECK(pool.spills().has_value());
    CHECK(pool.bound.cycles > 0);
    CHECK_FALSE(pool.bound_fraction().has_value());
}

TEST_CASE("Loops one after another use the same scratch", "[loops]") {
    // Four phases, each a parallel loop that stores its part of the padded map.
    const lamina::testing::LoweredKernel kernel =
        lamina::testing::lowered("cross_correlation_input_gradient in=1x64x64x3 out_channels=32 "
                                 "kernel_size=3x3 stride=2x2 padding=1x1",
                                 "dot,strip:8,stored:1");
    const ScratchUse use = scratch_use(kernel.module, "kernel");
    REQUIRE(use.error == "");
    std::size_t all = 0, largest = 0;
    int count = 0;
    for (const Allocation& allocation : use.allocations)
        if (allocation.kind == MemoryKind::scratch && allocation.is_per_thread) {
            all += allocation.bytes;
            largest = std::max(largest, allocation.bytes);
            ++count;
        }
    CHECK(count == 4);
    CHECK(use.per_thread >= largest);
    CHECK(use.per_thread < all);
}

TEST_CASE("A kernel's memory is listed with its kind", "[loops]") {
    const TargetFacts& target = *find_target("x86-64-linux-avx2");
    const lamina::TemporaryFolder folder;
    const CompiledKernel kernel = compile_kernel(direct_kernel(), {{&target}, "", folder.path()});
    REQUIRE(kernel.error == "");
    const auto named = [&](std::string_view name) {
        const std::vector<Allocation>& all = kernel.call.allocations;
        const auto found = std::find_if(all.begin(), all.end(),
                                        [&](const Allocation& a) { return a.name.starts_with(name); });
        REQUIRE(found != all.end());
        return *found;
    };
    const Allocation sum = named("sum"), padded = named("padded");
    CHECK(sum.kind == MemoryKind::registers);
    CHECK(sum.bytes == 2 * 6 * 32);
    CHECK(padded.kind == MemoryKind::scratch);
    CHECK(padded.is_per_thread);
    CHECK(padded.bytes >= 16 * 30 * 32 * 4); // the padded rows of a strip of 14
    CHECK(padded.bytes <= kernel.call.scratch_per_thread);
}
