// Calls do not use the heap. Counts by standing in front of the C library's allocation, where nothing else
// does.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LAMINA_SANITIZED 1
#endif
#endif

#if defined(__GLIBC__) || __has_include(<features.h>)
#include <features.h>
#endif

#if defined(__GLIBC__) && !defined(LAMINA_SANITIZED) && !defined(__SANITIZE_ADDRESS__) &&                    \
    !defined(__SANITIZE_THREAD__)

#include "fake_kernels.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>

namespace {
thread_local int heap_uses = 0;
}

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
    ++heap_uses;
    return __libc_malloc(size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
    ++heap_uses;
    return __libc_memalign(alignment, size);
}
}

using namespace lamina;
using namespace lamina::test;

namespace {

int use_scratch(void** arguments) {
    void* const context = user_context(arguments);
    halide_free(context, halide_malloc(context, 1000));
    return add_bias(arguments);
}

} // namespace

TEST_CASE("a call uses the heap for kept scratch only", "[runtime]") {
    FakeKernel fake;
    fake.scratch_serial = detail::scratch_stack_size(detail::scratch_block_size(1000));
    const lamina_kernel kernel = fake.kernel(use_scratch);
    FakeOperands operands;
    Context context;
    const auto uses_of = [&](const auto&... views) {
        const int before = heap_uses;
        static_cast<void>(call(kernel, context, views...));
        return heap_uses - before;
    };
    CHECK(uses_of(operands.input, operands.bias, operands.output) == 1);
    CHECK(uses_of(operands.input, operands.bias, operands.output) == 0);
    CHECK(uses_of(operands.input, operands.bias, operands.bias) == 0);
    CHECK(context.status().code() == LAMINA_BAD_SHAPE);
}

#endif
