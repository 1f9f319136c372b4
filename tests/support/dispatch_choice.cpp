// Calls a library's kernel on a CPU that has the instruction sets named by the argument, whatever the real
// one has, and prints which variant ran and the call's code.
#include "kernels.h"

#include <HalideRuntime.h>

#include <algorithm>
#include <cstdio>
#include <initializer_list>
#include <string_view>
#include <vector>

// Between the function that chooses and the variants (linked with --wrap): counts, then goes on to the
// variant.
#define COUNTED(variant, counter)                                                                            \
    extern "C" {                                                                                             \
    int counter = 0;                                                                                         \
    }                                                                                                        \
    asm(".pushsection .text\n.globl \"__wrap_kernels_run-" variant "\"\n\"__wrap_kernels_run-" variant       \
        "\":\n incl " #counter "(%rip)\n jmp \"__real_kernels_run-" variant "\"\n.popsection\n")
COUNTED("x86_64_linux_avx512", ran_avx512);
COUNTED("x86_64_linux_avx2", ran_avx2);
COUNTED("x86_64_linux", ran_x86_64);

namespace {

struct Features {
    std::uint64_t bits[2] = {0, 0};
    void add(std::initializer_list<int> features) {
        for (const int feature : features)
            bits[feature / 64] |= std::uint64_t{1} << (feature % 64);
    }
};

// What the pretended CPU lacks; every other bit says how code was compiled, not what it needs.
Features lacking;

bool pretend(std::string_view level) {
    constexpr std::string_view levels[] = {"nothing", "sse41", "avx2", "avx512"};
    const auto* const at = std::find(std::begin(levels), std::end(levels), level);
    if (at <= levels)
        lacking.add({halide_target_feature_sse41});
    if (at <= levels + 1)
        lacking.add({halide_target_feature_avx, halide_target_feature_avx2, halide_target_feature_f16c,
                     halide_target_feature_fma});
    if (at <= levels + 2)
        lacking.add({halide_target_feature_avx512, halide_target_feature_avx512_skylake});
    return at != std::end(levels);
}

} // namespace

// Takes the place of the runtime's, which is weak.
extern "C" int halide_can_use_target_features(int count, const std::uint64_t* features) {
    for (int i = 0; i < count; ++i)
        if ((features[i] & lacking.bits[i]) != 0)
            return 0;
    return 1;
}

int main(int count, char** arguments) {
    if (count != 2 || !pretend(arguments[1]))
        return 2;
    std::vector<float> packed(KERNELS_RUN_PACKED_KERNEL_SIZE, 1.0F);
    lamina::Tensor<float> input(kernels::run_input_shape(1)), bias(kernels::run_bias_shape),
        output(kernels::run_output_shape(1));
    lamina::Context context;
    const lamina::View<const float> weights(packed.data(), kernels::run_packed_kernel_shape);
    const lamina::Status status = kernels::run(context, input, weights, bias, output);
    std::printf("avx512:%d avx2:%d x86-64:%d %s\n", ran_avx512, ran_avx2, ran_x86_64,
                lamina_code_name(status.code()));
}
