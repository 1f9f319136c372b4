#include "scratch_stack.hpp"

#include <new>

namespace lamina::detail {

ScratchStack::Header& ScratchStack::header_of(std::byte* block) noexcept {
    return *std::launder(reinterpret_cast<Header*>(block - scratch_margin));
}

void* ScratchStack::allocate(std::size_t bytes) noexcept {
    const std::size_t used =
        top_ ? static_cast<std::size_t>(top_ - begin_) + header_of(top_).block_size : scratch_alignment;
    const std::size_t block_size = scratch_block_size(bytes);
    if (used > size() || block_size > size() - used || bytes >= block_size)
        return nullptr;
    std::byte* block = begin_ + used;
    new (block - scratch_margin) Header{top_, block_size, true};
    top_ = block;
    return block;
}

// Halide frees a buffer after its last use, which may come before that of a buffer allocated later; such a
// block is given back when everything above it is.
void ScratchStack::release(void* block) noexcept {
    header_of(static_cast<std::byte*>(block)).is_live = false;
    while (top_ && !header_of(top_).is_live)
        top_ = header_of(top_).previous;
}

} // namespace lamina::detail
