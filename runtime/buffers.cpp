#include "buffers.hpp"

#include "device.hpp"

namespace lamina::detail {

Buffer::Buffer(const lamina_view& view) {
    assign(view);
}

void Buffer::assign(const lamina_view& view) {
    halide.type =
        view.type == LAMINA_F32 ? halide_type_t(halide_type_float, 32) : halide_type_t(halide_type_int, 32);
    halide.dimensions = view.rank;
    halide.dim = dimension;
    std::int32_t stride = 1;
    for (std::int32_t i = 0; i < view.rank; ++i) {
        const auto extent = static_cast<std::int32_t>(view.shape[view.rank - 1 - i]);
        dimension[i] = {0, extent, stride};
        stride *= extent;
    }
    if (view.device)
        place_on_device(*this, *view.device);
    else
        halide.host = static_cast<std::uint8_t*>(view.data);
}

Buffers::Buffers(const lamina_kernel& kernel, const lamina_view* views, void* user_context)
    : user_context_(user_context) {
    arguments_[0] = &user_context_;
    for (std::int32_t i = 0; i < kernel.operand_count; ++i) {
        buffers_[i].assign(views[i]);
        arguments_[i + 1] = &buffers_[i].halide;
    }
}

} // namespace lamina::detail
