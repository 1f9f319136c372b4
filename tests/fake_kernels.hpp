// Kernels written by hand, for tests of the runtime alone.
#pragma once

#include "lamina/runtime.hpp"

#include <HalideRuntime.h>

#include <functional>
#include <string>
#include <vector>

namespace lamina::test {

inline constexpr float guard = -77;

// input 1x2x3x4, bias 4, output 1x2x3x4: what the kernel does is set by each test.
struct FakeKernel {
    std::vector<lamina_operand> operands = {
        {"input", LAMINA_F32, 0, 4, {1, 2, 3, 4}, 0},
        {"bias", LAMINA_F32, 0, 1, {4}, 0},
        {"output", LAMINA_F32, 1, 4, {1, 2, 3, 4}, 0},
    };
    std::size_t scratch_serial = 0, scratch_per_thread = 0;

    lamina_kernel kernel(int (*function)(void**)) const {
        lamina_kernel kernel{};
        kernel.name = "fake";
        kernel.problem = "fake in=1x2x3x4";
        kernel.operand_count = static_cast<std::int32_t>(operands.size());
        kernel.operands = operands.data();
        kernel.function = function;
        kernel.scratch_serial = scratch_serial;
        kernel.scratch_per_thread = scratch_per_thread;
        return kernel;
    }
};

inline void* user_context(void** arguments) {
    return *static_cast<void**>(arguments[0]);
}
inline halide_buffer_t& buffer(void** arguments, int operand) {
    return *static_cast<halide_buffer_t*>(arguments[operand + 1]);
}
inline float* data(void** arguments, int operand) {
    return reinterpret_cast<float*>(buffer(arguments, operand).host);
}

// output = input + bias, the bias per last index.
inline int add_bias(void** arguments) {
    const halide_buffer_t& in = buffer(arguments, 0);
    const int channels = in.dim[0].extent;
    std::int64_t count = 1;
    for (int i = 0; i < in.dimensions; ++i)
        count *= in.dim[i].extent;
    for (std::int64_t i = 0; i < count; ++i)
        data(arguments, 2)[i] = data(arguments, 0)[i] + data(arguments, 1)[i % channels];
    return 0;
}

// The operands of add_bias.
struct FakeOperands {
    Tensor<float> input{Extents{1, 2, 3, 4}}, bias{Extents{4}}, output{Extents{1, 2, 3, 4}};

    FakeOperands() {
        for (float& value : output.values())
            value = guard;
    }
    std::vector<lamina_view> views() const { return {input, bias, output}; }
    bool is_output_untouched() const {
        for (float value : output.values())
            if (value != guard)
                return false;
        return true;
    }
};

// Calls a task for the indices from min to min + size, as a kernel's parallel loop does.
inline int parallel_for(void* context, int min, int size, const std::function<int(int)>& body) {
    const auto task = [](void*, int index, std::uint8_t* closure) {
        return (*reinterpret_cast<const std::function<int(int)>*>(closure))(index);
    };
    auto* closure = reinterpret_cast<std::uint8_t*>(const_cast<std::function<int(int)>*>(&body));
    return halide_do_par_for(context, task, min, size, closure);
}

} // namespace lamina::test
