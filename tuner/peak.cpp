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

// Independent chains of acc = acc * a + b. Written as a macro because a function for a CPU cannot be a
// template's instance.
#define LAMINA_MULTIPLY_ADDS(Vector, in_register)                                                            \
    Vector acc[accumulators] = {};                                                                           \
    Vector a{}, b{};                                                                                         \
    a += 0.5f;                                                                                               \
    b += 0.25f;                                                                                              \
    asm volatile("" : in_register(a), in_register(b));                                                       \
    for (int turn = 0; turn < turns; ++turn)                                                                 \
        for (int i = 0; i < accumulators; ++i) {                                                             \
            acc[i] = acc[i] * a + b;                                                                         \
            asm volatile("" : in_register(acc[i]));                                                          \
        }                                                                                                    \
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
#endif

float run_for(const TargetFacts& target) {
#if defined(__x86_64__)
    if (target.vector_bytes == 64)
        return run_avx512();
    if (target.vector_bytes == 32)
        return run_avx2();
    return run_sse();
#else
    (void)target;
    return 0;
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

double measure_gflops(const TargetFacts& target) {
    const double operations = 2.0 * turns * accumulators * target.lanes();
    double best = 1e30;
    for (int i = 0; i < 20; ++i) {
        const double start = now_seconds();
        run_for(target);
        best = std::min(best, now_seconds() - start);
    }
    return operations / best / 1e9;
}

Peak measure_peak(const TargetFacts& target) {
    return {measure_gflops(target), copy_gbytes()};
}

} // namespace lamina
