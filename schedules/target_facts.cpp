#include "schedules/target_facts.hpp"

namespace lamina {

namespace {

// Rows of one architecture stand from the least to the most demanding. Cache sizes are the smallest common
// among the CPUs named; latencies and rates are those of Zen 3 to 5 and Skylake (uops.info), NEON's of
// Cortex-A76.
constexpr TargetFacts table[] = {
    {.name = "x86-64-linux",
     .halide = "x86-64-linux-sse41",
     .machines = "x86-64 CPUs since 2008 (SSE4.1)",
     .vector_bytes = 16,
     .vector_registers = 16,
     .general_registers = 16,
     .fma_latency = 8,
     .fma_per_cycle = 1,
     .l1_bytes = 32 << 10,
     .l2_bytes = 256 << 10,
     .is_gpu = false,
     .cpu = "nehalem"},
    {.name = "x86-64-linux-avx2",
     .halide = "x86-64-linux-avx-avx2-f16c-fma-sse41",
     .machines = "Intel since Haswell, AMD since Zen",
     .vector_bytes = 32,
     .vector_registers = 16,
     .general_registers = 16,
     .fma_latency = 4,
     .fma_per_cycle = 2,
     .l1_bytes = 32 << 10,
     .l2_bytes = 512 << 10,
     .is_gpu = false,
     .cpu = "skylake"},
    {.name = "x86-64-linux-avx512",
     .halide = "x86-64-linux-avx-avx2-avx512-avx512_skylake-f16c-fma-sse41",
     .machines = "Intel server CPUs since Skylake, AMD since Zen 4",
     .vector_bytes = 64,
     .vector_registers = 32,
     .general_registers = 16,
     .fma_latency = 4,
     .fma_per_cycle = 2,
     .l1_bytes = 32 << 10,
     .l2_bytes = 1024 << 10,
     .is_gpu = false,
     .cpu = "skylake-avx512"},
    {.name = "arm-64-linux",
     .halide = "arm-64-linux",
     .machines = "64-bit ARM CPUs (NEON)",
     .vector_bytes = 16,
     .vector_registers = 32,
     .general_registers = 31,
     .fma_latency = 4,
     .fma_per_cycle = 2,
     .l1_bytes = 64 << 10,
     .l2_bytes = 512 << 10,
     .is_gpu = false,
     .cpu = "neoverse-n1"},
    {.name = "x86-64-linux-opencl",
     .halide = "x86-64-linux-opencl-sse41",
     .machines = "OpenCL 1.2 devices",
     .vector_bytes = 16,
     .vector_registers = 16,
     .general_registers = 16,
     .fma_latency = 8,
     .fma_per_cycle = 1,
     .l1_bytes = 32 << 10,
     .l2_bytes = 256 << 10,
     .is_gpu = true,
     .cpu = ""},
};

bool includes(const Halide::Target& target, const Halide::Target& row) {
    if (target.arch != row.arch || target.bits != row.bits ||
        target.has_feature(Halide::Target::OpenCL) != row.has_feature(Halide::Target::OpenCL))
        return false;
    for (int i = 0; i < Halide::Target::FeatureEnd; ++i) {
        const auto feature = static_cast<Halide::Target::Feature>(i);
        if (row.has_feature(feature) && !target.has_feature(feature))
            return false;
    }
    return true;
}

} // namespace

std::span<const TargetFacts> target_table() {
    return table;
}

const TargetFacts* find_target(std::string_view name) {
    for (const TargetFacts& row : table)
        if (row.name == name)
            return &row;
    return nullptr;
}

const TargetFacts& facts_for(const Halide::Target& target) {
    const TargetFacts* best = nullptr;
    for (const TargetFacts& row : table)
        if (includes(target, Halide::Target(std::string(row.halide))))
            best = &row;
    return best ? *best : table[0];
}

Halide::Target kernel_target(const TargetFacts& facts) {
    return Halide::Target(std::string(facts.halide))
        .with_feature(Halide::Target::NoRuntime)
        .with_feature(Halide::Target::NoAsserts)
        .with_feature(Halide::Target::NoBoundsQuery)
        .with_feature(Halide::Target::UserContext);
}

Halide::Target host_target() {
    Halide::Target host = Halide::get_host_target();
#if defined(__x86_64__)
    __builtin_cpu_init();
    for (const auto& [feature, is_there] :
         {std::pair{Halide::Target::AVX2, __builtin_cpu_supports("avx2")},
          {Halide::Target::FMA, __builtin_cpu_supports("fma")},
          {Halide::Target::AVX512, __builtin_cpu_supports("avx512f")},
          {Halide::Target::AVX512_Skylake, __builtin_cpu_supports("avx512vl")}})
        if (!is_there)
            host.set_feature(feature, false);
#endif
    return host;
}

std::string_view host_target_name() {
    return facts_for(host_target()).name;
}

} // namespace lamina
