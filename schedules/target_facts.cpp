#include "schedules/target_facts.hpp"

namespace lamina {

namespace {

// Rows of one architecture stand from the least to the most demanding. Cache sizes are the smallest common
// among the CPUs named; latencies and rates are those of Zen 3 to 5 and Skylake (uops.info), NEON's of
// Cortex-A76.
constexpr TargetFacts table[] = {
    {"x86-64-linux", "x86-64-linux-sse41", "x86-64 CPUs since 2008 (SSE4.1)", 16, 16, 8, 1, 32 << 10,
     256 << 10, false},
    {"x86-64-linux-avx2", "x86-64-linux-avx-avx2-f16c-fma-sse41", "Intel since Haswell, AMD since Zen", 32,
     16, 4, 2, 32 << 10, 512 << 10, false},
    {"x86-64-linux-avx512", "x86-64-linux-avx-avx2-avx512-avx512_skylake-f16c-fma-sse41",
     "Intel server CPUs since Skylake, AMD since Zen 4", 64, 32, 4, 2, 32 << 10, 1 << 20, false},
    {"arm-64-linux", "arm-64-linux", "64-bit ARM CPUs (NEON)", 16, 32, 4, 2, 64 << 10, 512 << 10, false},
    {"x86-64-linux-opencl", "x86-64-linux-opencl-sse41", "OpenCL 1.2 devices", 16, 16, 8, 1, 32 << 10,
     256 << 10, true},
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

std::string_view host_target_name() {
    return facts_for(Halide::get_host_target()).name;
}

} // namespace lamina
