// Calls a library's kernel on a CPU that has the instruction sets named by the argument, whatever the real one has, and prints
// which variant ran and the call's code.
#include "kernels.h"

#include <HalideRuntime.h>

#include <cstdio>
#include <initializer_list>
#include <string_view>
#include <vector>

// Between the function that chooses and the variants (linked with --wrap): counts, then goes on to the variant.
#define COUNTED(variant, counter)                                                                                    \
    extern "C" {                                                                                                     \
    int counter = 0;                                                                                                 \
    }                                                                                                                \
    asm(".text\n.globl \"__wrap_kernels_run-" variant "\"\n\"__wrap_kernels_run-" variant "\":\n incl " #counter      \
        "(%rip)\n jmp \"__real_kernels_run-" variant "\"\n")
COUNTED("x86_64_linux_avx512", ran_avx512);
COUNTED("x86_64_linux_avx2", ran_avx2);
COUNTED("x86_64_linux", ran_x86_64);

namespace {

std::uint64_t available[2] = {0, 0};

void add(std::initializer_list<int> features) {
    for (const int feature : features)
        available[feature / 64] |= std::uint64_t{1} << (feature % 64);
}

// Each level includes those before it.
bool pretend(std::string_view level) {
    if (level == "nothing")
        return true;
    add({halide_target_feature_sse41});
    if (level == "sse41")
        return true;
    add({halide_target_feature_avx, halide_target_feature_avx2, halide_target_feature_f16c, halide_target_feature_fma});
    if (level == "avx2")
        return true;
    add({halide_target_feature_avx512, halide_target_feature_avx512_skylake});
    return level == "avx512";
}

} // namespace

// Takes the place of the runtime's, which is weak.
extern "C" int halide_can_use_target_features(int count, const std::uint64_t* features) {
    for (int i = 0; i < count; ++i)
        if ((features[i] & ~available[i]) != 0)
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
    std::printf("avx512:%d avx2:%d x86-64:%d %s\n", ran_avx512, ran_avx2, ran_x86_64, lamina_code_name(status.code()));
}
