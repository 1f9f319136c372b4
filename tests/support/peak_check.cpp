// Whether a peak is measured on this CPU, and none for a device.
#include "tuner/peak.hpp"

#include <cstdio>

int main() {
    constexpr lamina::TargetFacts cpu{.vector_bytes = 16}, device{.vector_bytes = 16, .is_gpu = true};
    const double gflops = lamina::measure_gflops(cpu).value_or(0);
    std::printf("%g GFLOP/s\n", gflops);
    return gflops > 0 && !lamina::measure_gflops(device) && !lamina::measure_peak(device) ? 0 : 1;
}
