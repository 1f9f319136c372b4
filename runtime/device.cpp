#include "device.hpp"

#include "check.hpp"
#include "hooks.hpp"
#include "scratch.hpp"

#include <HalideRuntimeOpenCL.h>

#include <algorithm>
#include <new>

// A program without device kernels links a Halide runtime without OpenCL.
#pragma weak halide_opencl_device_interface

namespace lamina::detail {

namespace {

const halide_device_interface_t* opencl() {
    return halide_opencl_device_interface ? halide_opencl_device_interface() : nullptr;
}

// Halide loads the driver on first use, and not safely from two threads at once.
void start_driver(const halide_device_interface_t& interface, void* user_context) {
    static const int result = [&] {
        constexpr std::int64_t one = 1;
        Buffer probe(lamina_dense_view(nullptr, LAMINA_F32, 1, &one));
        const int allocated = interface.device_malloc(user_context, &probe.halide, &interface);
        return allocated != 0 ? allocated : interface.device_free(user_context, &probe.halide);
    }();
    static_cast<void>(result);
}

// Runs `operation(user_context)`, which returns Halide's result code, so that its errors come back as text.
template <class Operation>
MaybeRefusal on_device(const Operation& operation) {
    install_hooks();
    Call call(1, {});
    Worker worker{call, call.serial_stack(), false};
    const CurrentWorker current(worker);
    const int result = operation(static_cast<void*>(&call));
    if (result == 0)
        return {};
    if (call.error()[0] != '\0')
        return Refusal{LAMINA_DEVICE_ERROR, nullptr, call.error()};
    return Refusal{LAMINA_DEVICE_ERROR, nullptr, Text("the device's runtime returned ") << result};
}

lamina_operand operand_like(const lamina_view& view) {
    lamina_operand operand{"device buffer", view.type, 0, view.rank, {}, 0};
    std::copy_n(view.shape, LAMINA_MAX_RANK, operand.shape);
    return operand;
}

// What a device buffer can be made for; the strides and data of `view` do not matter.
MaybeRefusal check_allocation(const lamina_view& view) {
    const bool has_rank = view.rank >= 1 && view.rank <= LAMINA_MAX_RANK;
    if (!has_rank || std::any_of(view.shape, view.shape + view.rank, [](auto extent) { return extent < 1; }))
        return Refusal{LAMINA_BAD_SHAPE, "device buffer",
                       Text("rank must be 1 to ") << LAMINA_MAX_RANK << " and every extent positive"};
    if (view.type != LAMINA_F32 && view.type != LAMINA_I32)
        return Refusal{LAMINA_BAD_TYPE, "device buffer", "expected f32 or i32"};
    return check_form(operand_like(view), view);
}

MaybeRefusal check_transfer(const lamina_device_buffer* buffer, const lamina_view* view) {
    if (!buffer || !view)
        return Refusal{LAMINA_NULL_POINTER, "device buffer", "the buffer or the view is null"};
    if (view->device)
        return Refusal{LAMINA_BAD_TYPE, "device buffer",
                       "the view to copy must be of memory, not of a device"};
    return check_view(operand_like(buffer->view), *view);
}

// Without its device memory.
MaybeRefusal make_description(const lamina_context* context, const lamina_view& view,
                              lamina_device_buffer*& buffer) {
    const lamina_allocator allocator = context ? context->allocator : lamina_allocator{};
    void* memory = allocate_memory(allocator, sizeof(lamina_device_buffer));
    if (!memory)
        return Refusal{LAMINA_OUT_OF_MEMORY, nullptr, "no memory for the buffer's description"};
    lamina_view shape = view;
    shape.data = nullptr;
    shape.device = nullptr;
    buffer = new (memory) lamina_device_buffer{0, opencl(), shape, allocator};
    return {};
}

MaybeRefusal allocate_on_device(lamina_device_buffer& device) {
    if (!device.interface)
        return Refusal{LAMINA_DEVICE_ERROR, nullptr, "the program's Halide runtime has no OpenCL"};
    return on_device([&](void* user_context) {
        start_driver(*device.interface, user_context);
        Buffer buffer(device.view);
        const int result = device.interface->device_malloc(user_context, &buffer.halide, device.interface);
        device.handle = buffer.halide.device;
        return result;
    });
}

} // namespace

MaybeRefusal check_device_buffer(const char* name, const lamina_view& view) {
    const lamina_view& device = view.device->view;
    if (view.type == device.type && view.rank == device.rank &&
        std::equal(view.shape, view.shape + view.rank, device.shape))
        return {};
    return Refusal{LAMINA_BAD_SHAPE, name, "the device buffer was allocated for another type or shape"};
}

void place_on_device(Buffer& buffer, const lamina_device_buffer& device) {
    buffer.halide.device = device.handle;
    buffer.halide.device_interface = device.interface;
}

int run_on_device(const lamina_kernel& kernel, Buffers& buffers, void* user_context) {
    if (const halide_device_interface_t* interface = opencl())
        start_driver(*interface, user_context);
    for (std::int32_t i = 0; i < kernel.operand_count; ++i)
        if (buffers[i].halide.host && !kernel.operands[i].is_output)
            buffers[i].halide.set_host_dirty();
    int result = kernel.function(buffers.arguments());
    for (std::int32_t i = 0; i < kernel.operand_count; ++i) {
        halide_buffer_t& buffer = buffers[i].halide;
        if (!buffer.host || !buffer.device_interface)
            continue;
        if (result == 0 && kernel.operands[i].is_output)
            result = buffer.device_interface->copy_to_host(user_context, &buffer);
        const int freed = buffer.device_interface->device_free(user_context, &buffer);
        result = result != 0 ? result : freed;
    }
    return result;
}

} // namespace lamina::detail

using namespace lamina::detail;

extern "C" {

lamina_device_buffer* lamina_device_allocate(lamina_context* context, const lamina_view* view) {
    lamina_device_buffer* buffer = nullptr;
    MaybeRefusal refusal;
    if (!view)
        refusal = Refusal{LAMINA_NULL_POINTER, nullptr, "the view is null"};
    else
        refusal = check_allocation(*view);
    if (!refusal)
        refusal = make_description(context, *view, buffer);
    if (!refusal)
        refusal = allocate_on_device(*buffer);
    if (refusal) {
        lamina_device_release(buffer);
        buffer = nullptr;
    }
    report(context, "device allocation", refusal);
    return buffer;
}

lamina_code lamina_device_upload(lamina_context* context, lamina_device_buffer* buffer,
                                 const lamina_view* from) {
    MaybeRefusal refusal = check_transfer(buffer, from);
    if (!refusal)
        refusal = on_device([&](void* user_context) {
            Buffer copy(*from);
            place_on_device(copy, *buffer);
            copy.halide.set_host_dirty();
            return buffer->interface->copy_to_device(user_context, &copy.halide, buffer->interface);
        });
    return report(context, "device upload", refusal);
}

lamina_code lamina_device_download(lamina_context* context, lamina_device_buffer* buffer,
                                   const lamina_view* to) {
    MaybeRefusal refusal = check_transfer(buffer, to);
    if (!refusal)
        refusal = on_device([&](void* user_context) {
            Buffer copy(*to);
            place_on_device(copy, *buffer);
            copy.halide.set_device_dirty();
            return buffer->interface->copy_to_host(user_context, &copy.halide);
        });
    return report(context, "device download", refusal);
}

void lamina_device_release(lamina_device_buffer* buffer) {
    if (!buffer)
        return;
    if (buffer->handle != 0)
        static_cast<void>(on_device([&](void* user_context) {
            Buffer view(buffer->view);
            place_on_device(view, *buffer);
            return buffer->interface->device_free(user_context, &view.halide);
        }));
    release_memory(buffer->allocator, buffer);
}
}
