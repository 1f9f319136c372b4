// The allocator that a running kernel sees: blocks on top of each other in memory that the call was given.
#pragma once

#include "lamina/scratch.hpp"

namespace lamina::detail {

class ScratchStack {
public:
    ScratchStack(std::byte* memory, std::size_t size) : begin_(memory), end_(memory + size) {}

    // Null where the stack is full.
    void* allocate(std::size_t bytes) noexcept;
    void release(void* block) noexcept;
    bool owns(const void* block) const noexcept { return block >= begin_ && block < end_; }
    std::size_t size() const noexcept { return static_cast<std::size_t>(end_ - begin_); }

private:
    struct Header {
        std::byte* previous;
        std::size_t block_size;
        bool is_live;
    };
    static_assert(sizeof(Header) + 8 <= scratch_margin);

    static Header& header_of(std::byte* block) noexcept;

    std::byte* begin_;
    std::byte* end_;
    std::byte* top_ = nullptr;
};

} // namespace lamina::detail
