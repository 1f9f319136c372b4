#include "tests/support/heap_uses.hpp"

#include <cstddef>
#include <cstdlib>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LAMINA_SANITIZED 1
#endif
#endif
#if defined(__GLIBC__) && !defined(LAMINA_SANITIZED) && !defined(__SANITIZE_ADDRESS__) &&                    \
    !defined(__SANITIZE_THREAD__)
#define LAMINA_COUNTS_HEAP_USES 1
#endif

namespace {
thread_local int count = 0;
}

#ifdef LAMINA_COUNTS_HEAP_USES
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
    ++count;
    return __libc_malloc(size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
    ++count;
    return __libc_memalign(alignment, size);
}
}
#endif

namespace lamina::testing {

int heap_uses() {
    return count;
}

bool counts_heap_uses() {
#ifdef LAMINA_COUNTS_HEAP_USES
    return true;
#else
    return false;
#endif
}

} // namespace lamina::testing
