// Memory between two pages that may not be touched.
#pragma once

#include <cstddef>

namespace lamina::testing {

enum class Flush { to_end, to_start };

// `size` bytes that end directly before a forbidden page, or begin directly behind one; a forbidden page lies
// on the other side as well, at most a page away. A touch of either ends the process with SIGSEGV.
class GuardedBuffer {
public:
    GuardedBuffer(std::size_t size, Flush flush);
    ~GuardedBuffer();
    GuardedBuffer(GuardedBuffer&& other) noexcept;
    GuardedBuffer(const GuardedBuffer&) = delete;
    GuardedBuffer& operator=(const GuardedBuffer&) = delete;
    GuardedBuffer& operator=(GuardedBuffer&&) = delete;

    void* data() const { return data_; }
    std::size_t size() const { return size_; }

private:
    void* mapping_ = nullptr;
    std::size_t mapping_size_ = 0;
    void* data_ = nullptr;
    std::size_t size_ = 0;
};

} // namespace lamina::testing
