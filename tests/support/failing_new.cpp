// Replaces the program's operator new, in a file of its own: where g++ sees both ends it takes new and free
// for a mismatch.
#include "tests/support/failing_new.hpp"

#include <cstdlib>
#include <new>

namespace lamina::testing {

thread_local int allocations_left = -1;

} // namespace lamina::testing

using lamina::testing::allocations_left;

void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
    void* const memory = allocations_left == 0 ? nullptr : std::malloc(size > 0 ? size : 1);
    allocations_left -= allocations_left >= 0 ? 1 : 0;
    return memory;
}
void* operator new(std::size_t size) {
    void* const memory = operator new(size, std::nothrow);
    if (!memory)
        throw std::bad_alloc();
    return memory;
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
    std::free(memory);
}
