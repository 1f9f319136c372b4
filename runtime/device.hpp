// Operands on a device: OpenCL, through the Halide runtime that the program links.
#pragma once

#include "buffers.hpp"
#include "refusal.hpp"

// The device's handle and what it was allocated for. Every use makes a Halide buffer of its own from it, so
// that calls may share inputs.
struct lamina_device_buffer {
    std::uint64_t handle;
    const halide_device_interface_t* interface;
    lamina_view view; // type and shape
    lamina_allocator allocator;
};

namespace lamina::detail {

// Whether the buffer behind view.device is what the view says.
MaybeRefusal check_device_buffer(const char* name, const lamina_view& view);

void place_on_device(Buffer& buffer, const lamina_device_buffer& device);

// Calls the kernel, host operands copied there and back; Halide's result code.
int run_on_device(const lamina_kernel& kernel, Buffers& buffers, void* user_context);

} // namespace lamina::detail
