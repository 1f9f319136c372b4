// Operands on an OpenCL device. Where there is none, or no driver, that is a status.
#include "fake_kernels.hpp"

#include <HalideRuntimeOpenCL.h>
#include <catch2/catch.hpp>

#pragma weak halide_opencl_device_interface

using namespace lamina;
using namespace lamina::test;

namespace {

// output = input, copied on the device as a device kernel would: inputs there if dirty, output allocated
// there if it is not.
int copy_on_device(void** arguments) {
    void* const context = user_context(arguments);
    const halide_device_interface_t* device = halide_opencl_device_interface();
    halide_buffer_t &in = buffer(arguments, 0), &out = buffer(arguments, 1);
    if (int result = device->copy_to_device(context, &in, device))
        return result;
    if (int result = device->device_malloc(context, &out, device))
        return result;
    halide_buffer_t from = in;
    from.host = nullptr;
    from.set_device_dirty();
    halide_buffer_t to = out;
    to.host = nullptr;
    const int result = device->buffer_copy(context, &from, device, &to);
    out.set_device_dirty();
    return result;
}

int fail_on_device(void** arguments) {
    void* const context = user_context(arguments);
    const halide_device_interface_t* device = halide_opencl_device_interface();
    static_cast<void>(device->device_malloc(context, &buffer(arguments, 1), device));
    halide_error(context, "the queue is gone\n");
    return -9;
}

struct DeviceKernel {
    FakeKernel fake;
    DeviceKernel() { fake.operands.erase(fake.operands.begin() + 1); }
    lamina_kernel kernel(int (*function)(void**)) const {
        lamina_kernel kernel = fake.kernel(function);
        kernel.uses_device = 1;
        return kernel;
    }
};

const Extents map{1, 2, 3, 4};

// Whether there is a device to test with; if not, that it is said.
bool has_device(Context& context) {
    const DeviceTensor<float> tensor(context, map);
    if (tensor)
        return true;
    CHECK(context.status().code() == LAMINA_DEVICE_ERROR);
    CHECK(context.status().message().size() > std::string("device allocation: device error: ").size());
    WARN(std::string(context.status().message()));
    return false;
}

Tensor<float> counting() {
    Tensor<float> tensor(map);
    float next = 1;
    for (float& value : tensor.values())
        value = next++;
    return tensor;
}

bool are_equal(const Tensor<float>& a, const Tensor<float>& b) {
    return std::equal(a.values().begin(), a.values().end(), b.values().begin(), b.values().end());
}

} // namespace

TEST_CASE("a device tensor gives back what was put there", "[runtime][device]") {
    Context context;
    if (!has_device(context))
        return;
    const Tensor<float> in = counting();
    Tensor<float> out(map);
    DeviceTensor<float> tensor(context, map);
    CHECK(tensor.upload(context, in));
    CHECK(tensor.download(context, out));
    CHECK(are_equal(in, out));

    Tensor<float> other({4});
    const Status status = tensor.download(context, other);
    CHECK(status.code() == LAMINA_BAD_SHAPE);
    CHECK(status.message() == "device download: operand 'device buffer': bad shape: expected 1x2x3x4, got 4");
    CHECK(tensor.upload(context, tensor).code() == LAMINA_BAD_TYPE);
}

TEST_CASE("a device kernel takes operands from memory and from the device", "[runtime][device]") {
    Context context;
    if (!has_device(context))
        return;
    const DeviceKernel fake;
    const lamina_kernel kernel = fake.kernel(copy_on_device);
    const Tensor<float> in = counting();
    Tensor<float> out(map), through(map);
    CHECK(call(kernel, context, in, out));
    CHECK(are_equal(in, out));

    DeviceTensor<float> first(context, map), second(context, map);
    CHECK(call(kernel, context, in, first));
    CHECK(call(kernel, context, first, second));
    CHECK(call(kernel, context, second, through));
    CHECK(are_equal(in, through));
    CHECK(call(kernel, context, first, first).code() == LAMINA_OVERLAP);

    DeviceTensor<float> other(context, {1, 2, 3, 5});
    const Status status = call(kernel, context, in, other);
    CHECK(status.code() == LAMINA_BAD_SHAPE);
    const Status disguised = call(kernel, context, in, View<float>(other.view().device(), map));
    CHECK(disguised.message() == "fake in=1x2x3x4: operand 'output': bad shape: the device buffer was "
                                 "allocated for another type or shape");
}

TEST_CASE("a device kernel's failure is a device error", "[runtime][device]") {
    Context context;
    if (!has_device(context))
        return;
    const DeviceKernel fake;
    const Tensor<float> in = counting();
    Tensor<float> out(map);
    const Status status = call(fake.kernel(fail_on_device), context, in, out);
    CHECK(status.code() == LAMINA_DEVICE_ERROR);
    CHECK(status.message() == "fake in=1x2x3x4: device error: the queue is gone");
}

TEST_CASE("a kernel of the CPU refuses data on a device", "[runtime][device]") {
    Context context;
    if (!has_device(context))
        return;
    const FakeKernel fake;
    const Tensor<float> bias({4});
    Tensor<float> out(map);
    const DeviceTensor<float> in(context, map);
    const Status status = call(fake.kernel(add_bias), context, in, bias, out);
    CHECK(status.code() == LAMINA_BAD_TYPE);
    CHECK(status.message() ==
          "fake in=1x2x3x4: operand 'input': bad type: the data live on a device, but the "
          "kernel runs on the CPU; download them first");
}

TEST_CASE("device tensors that cannot be are refused", "[runtime][device]") {
    Context context;
    CHECK(!DeviceTensor<float>(context, {2, 0}));
    CHECK(context.status().code() == LAMINA_BAD_SHAPE);
    CHECK(!DeviceTensor<float>(context, {1, 1, 1, 1, 1}));
    CHECK(!DeviceTensor<float>(context, {65536, 65536}));
    CHECK(context.status().message() == "device allocation: operand 'device buffer': bad shape: 65536x65536 "
                                        "has more than 2147483647 elements");
    CHECK(lamina_device_allocate(nullptr, nullptr) == nullptr);
    DeviceTensor<float> nothing;
    Tensor<float> memory(map);
    CHECK(nothing.upload(context, memory).code() == LAMINA_NULL_POINTER);
    CHECK(nothing.download(context, memory).code() == LAMINA_NULL_POINTER);
}
