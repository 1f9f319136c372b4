#include "tuner/peak.hpp"

#include "tuner/timing.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace lamina {

namespace {

// Enough to cover 4 cycles of latency on two units, few enough for 16 registers.
constexpr int accumulators = 12;
constexpr int turns = 20'000;

using Vector16 __attribute__((vector_size(16))) = float;
using Vector32 __attribute__((vector_size(32))) = float;
using Vector64 __attribute__((vector_size(64))) = float;

#if defined(__x86_64__)
#define LAMINA_MULTIPLY_ADD(acc, in_register)                                                                \
    acc = a * (acc) + b;                                                                                     \
    asm volatile("" : in_register(acc));
#elif defined(__aarch64__)
// The instruction itself, because its sum replaces the addend: acc * a + b takes a move besides.
#define LAMINA_MULTIPLY_ADD(acc, in_register)                                                                \
    asm volatile("fmla %0.4s, %1.4s, %2.4s" : in_register(acc) : "w"(a), "w"(b));
#endif

#define LAMINA_FOUR(first, in_register)                                                                      \
    LAMINA_MULTIPLY_ADD(acc[first], in_register)                                                             \
    LAMINA_MULTIPLY_ADD(acc[(first) + 1], in_register)                                                       \
    LAMINA_MULTIPLY_ADD(acc[(first) + 2], in_register)                                                       \
    LAMINA_MULTIPLY_ADD(acc[(first) + 3], in_register)

// Independent chains of multiply-adds. Macros, because a function for a CPU cannot be a template's instance;
// constant indices, because without -O3 a loop over them leaves the array in memory.
#define LAMINA_MULTIPLY_ADDS(Vector, in_register)                                                            \
    static_assert(accumulators == 3 * 4);                                                                    \
    Vector acc[accumulators] = {};                                                                           \
    Vector a{}, b{};                                                                                         \
    a += 0.5f;                                                                                               \
    b += 0.25f;                                                                                              \
    asm volatile("" : in_register(a), in_register(b));                                                       \
    for (int turn = 0; turn < turns; ++turn) {                                                               \
        LAMINA_FOUR(0, in_register)                                                                          \
        LAMINA_FOUR(4, in_register)                                                                          \
        LAMINA_FOUR(8, in_register)                                                                          \
    }                                                                                                        \
    return acc[0][0];

#if defined(__x86_64__)
float run_sse() {
    LAMINA_MULTIPLY_ADDS(Vector16, "+x")
}
__attribute__((target("avx2,fma"))) float run_avx2() {
    LAMINA_MULTIPLY_ADDS(Vector32, "+x")
}
__attribute__((target("avx512f"))) float run_avx512() {
    LAMINA_MULTIPLY_ADDS(Vector64, "+v")
}
#elif defined(__aarch64__)
float run_neon() {
    LAMINA_MULTIPLY_ADDS(Vector16, "+w")
}
#endif

using Loop = float (*)();

// The loop with the target's vectors, or null where none is written.
Loop loop_for(const TargetFacts& target) {
    if (target.is_gpu)
        return nullptr;
#if defined(__x86_64__)
    if (target.vector_bytes == 64)
        return run_avx512;
    return target.vector_bytes == 32 ? run_avx2 : run_sse;
#elif defined(__aarch64__)
    return run_neon;
#else
    return nullptr;
#endif
}

double copy_gbytes() {
    constexpr std::size_t size = 64 << 20;
    std::vector<char> from(size, 1), to(size, 2);
    double best = 1e30;
    for (int i = 0; i < 5; ++i) {
        const double start = now_seconds();
        std::memcpy(to.data(), from.data(), size);
        asm volatile("" : : "r"(to.data()) : "memory");
        best = std::min(best, now_seconds() - start);
    }
    return 2.0 * size / best / 1e9;
}

} // namespace

std::optional<double> sample_gflops(const TargetFacts& target) {
    const Loop run = loop_for(target);
    if (!run)
        return {};
    const double start = now_seconds();
    run();
    return 2.0 * turns * accumulators * target.lanes() / (now_seconds() - start) / 1e9;
}

std::optional<double> measure_gflops(const TargetFacts& target) {
    std::optional<double> best = sample_gflops(target);
    for (int i = 1; best && i < 20; ++i)
        best = std::max(best, sample_gflops(target));
    return best;
}

std::optional<Peak> measure_peak(const TargetFacts& target) {
    const std::optional<double> gflops = measure_gflops(target);
    return gflops ? std::optional(Peak{*gflops, copy_gbytes()}) : std::nullopt;
}

} // namespace lamina
