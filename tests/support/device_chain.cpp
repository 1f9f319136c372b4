// Two kernels one after the other, their data on the device in between, against the same kernels on the CPU.
#include "on_cpu.h"
#include "on_device.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace {

using Tensor = lamina::Tensor<float>;
using DeviceTensor = lamina::DeviceTensor<float>;

void require(const lamina::Status& status, const char* step) {
    if (status)
        return;
    std::printf("%s: %.*s\n", step, static_cast<int>(status.message().size()), status.message().data());
    std::exit(1);
}

// Small integers, so that every sum is exact.
Tensor numbers(const lamina::Extents& shape, int seed) {
    Tensor tensor(shape);
    for (float& value : tensor.values()) {
        seed = (seed * 37 + 11) % 101;
        value = static_cast<float>(seed % 9 - 4);
    }
    return tensor;
}

struct Weights {
    Tensor input = numbers(on_cpu::first_input_shape, 1);
    Tensor first_kernel = numbers(on_cpu::first_pack_kernel_shape, 2),
           first_bias = numbers(on_cpu::first_bias_shape, 3);
    Tensor second_kernel = numbers(on_cpu::second_pack_kernel_shape, 4),
           second_bias = numbers(on_cpu::second_bias_shape, 5);
};

Tensor compute_on_cpu(const Weights& w) {
    lamina::Context context;
    Tensor first_packed(on_cpu::first_packed_kernel_shape), second_packed(on_cpu::second_packed_kernel_shape),
        middle(on_cpu::first_output_shape), output(on_cpu::second_output_shape);
    require(on_cpu::first_pack(context, w.first_kernel, first_packed), "CPU: first kernel");
    require(on_cpu::second_pack(context, w.second_kernel, second_packed), "CPU: second kernel");
    require(on_cpu::first(context, w.input, first_packed, w.first_bias, middle), "CPU: first call");
    require(on_cpu::second(context, middle, second_packed, w.second_bias, output), "CPU: second call");
    return output;
}

DeviceTensor uploaded(lamina::Context& context, const Tensor& tensor) {
    DeviceTensor copy(context, tensor.shape());
    require(context.status(), "device: allocation");
    require(copy.upload(context, tensor), "device: upload");
    return copy;
}

// Kernels are packed by the CPU.
struct Packed {
    Tensor first{on_device::first_packed_kernel_shape}, second{on_device::second_packed_kernel_shape};

    explicit Packed(const Weights& w) {
        lamina::Context context;
        require(on_device::first_pack(context, w.first_kernel, first), "device: first kernel");
        require(on_device::second_pack(context, w.second_kernel, second), "device: second kernel");
    }
};

// Only the last result comes back.
Tensor compute_on_device(const Weights& w) {
    lamina::Context context;
    const Packed packed(w);
    const DeviceTensor input = uploaded(context, w.input), first_bias = uploaded(context, w.first_bias),
                       second_bias = uploaded(context, w.second_bias),
                       first_kernel = uploaded(context, packed.first),
                       second_kernel = uploaded(context, packed.second);
    DeviceTensor middle(context, on_device::first_output_shape),
        output(context, on_device::second_output_shape);
    require(on_device::first(context, input, first_kernel, first_bias, middle), "device: first call");
    require(on_device::second(context, middle, second_kernel, second_bias, output), "device: second call");
    Tensor result(on_device::second_output_shape);
    require(output.download(context, result), "device: download");
    return result;
}

// Data on the device, weights in memory.
Tensor compute_on_both(const Weights& w) {
    lamina::Context context;
    const Packed packed(w);
    DeviceTensor middle(context, on_device::first_output_shape);
    Tensor output(on_device::second_output_shape);
    require(on_device::first(context, w.input, packed.first, w.first_bias, middle), "mixed: first call");
    require(on_device::second(context, middle, packed.second, w.second_bias, output), "mixed: second call");
    return output;
}

bool refuses_to_pack_on_a_device(const Weights& w) {
    lamina::Context context;
    DeviceTensor packed(context, on_device::first_packed_kernel_shape);
    return on_device::first_pack(context, w.first_kernel, packed).code() == LAMINA_BAD_TYPE;
}

bool are_equal(const Tensor& a, const Tensor& b) {
    return a.shape() == b.shape() && std::equal(a.values().begin(), a.values().end(), b.values().begin());
}

} // namespace

int main() {
    const Weights weights;
    const Tensor expected = compute_on_cpu(weights);
    const bool is_right = are_equal(compute_on_device(weights), expected),
               is_mixed_right = are_equal(compute_on_both(weights), expected),
               is_refused = refuses_to_pack_on_a_device(weights);
    std::printf("chained on the device: %s; weights in memory: %s; packing there: %s\n",
                is_right ? "right" : "wrong", is_mixed_right ? "right" : "wrong",
                is_refused ? "refused" : "not refused");
    return is_right && is_mixed_right && is_refused ? 0 : 1;
}
