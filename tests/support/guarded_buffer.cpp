#include "tests/support/guarded_buffer.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <new>
#include <utility>

namespace lamina::testing {

GuardedBuffer::GuardedBuffer(std::size_t size, Flush flush) : size_(size) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t inner = (size + page - 1) / page * page;
    mapping_size_ = inner + 2 * page;
    mapping_ = mmap(nullptr, mapping_size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping_ == MAP_FAILED)
        throw std::bad_alloc();
    char* const begin = static_cast<char*>(mapping_) + page;
    if (inner > 0 && mprotect(begin, inner, PROT_READ | PROT_WRITE) != 0) {
        munmap(mapping_, mapping_size_);
        throw std::bad_alloc();
    }
    data_ = flush == Flush::to_end ? begin + (inner - size) : begin;
}

GuardedBuffer::~GuardedBuffer() {
    if (mapping_)
        munmap(mapping_, mapping_size_);
}

GuardedBuffer::GuardedBuffer(GuardedBuffer&& other) noexcept
    : mapping_(std::exchange(other.mapping_, nullptr)), mapping_size_(other.mapping_size_),
      data_(other.data_), size_(other.size_) {}

} // namespace lamina::testing
