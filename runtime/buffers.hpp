// Views as Halide sees them.
#pragma once

#include "lamina/runtime.h"

#include <HalideRuntime.h>

namespace lamina::detail {

// One operand. Halide's first dimension is the contiguous one, which is the view's last.
struct Buffer {
    halide_buffer_t halide{};
    halide_dimension_t dimension[LAMINA_MAX_RANK];

    Buffer() = default;
    explicit Buffer(const lamina_view& view);
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    // The view must have passed its checks. Strides are set from the shape, since a view's may be anything
    // where an extent is 1.
    void assign(const lamina_view& view);
};

// The operands of a call and the argument list that points at them.
class Buffers {
public:
    Buffers(const lamina_kernel& kernel, const lamina_view* views, void* user_context);

    void** arguments() { return arguments_; }
    Buffer& operator[](std::int32_t operand) { return buffers_[operand]; }

private:
    Buffer buffers_[LAMINA_MAX_OPERANDS];
    void* user_context_;
    void* arguments_[LAMINA_MAX_OPERANDS + 1];
};

} // namespace lamina::detail
