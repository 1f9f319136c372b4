// Calls do not use the heap.
#include "tests/fake_kernels.hpp"
#include "tests/support/heap_uses.hpp"

#include <catch2/catch.hpp>

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
    if (!lamina::testing::counts_heap_uses()) {
        WARN("skipped: under a sanitizer, or without glibc, uses of the heap are not counted");
        return;
    }
    FakeKernel fake;
    fake.scratch_serial = detail::scratch_stack_size(detail::scratch_block_size(1000));
    const lamina_kernel kernel = fake.kernel(use_scratch);
    FakeOperands operands;
    Context context;
    const auto uses_of = [&](const auto&... views) {
        const int before = lamina::testing::heap_uses();
        static_cast<void>(call(kernel, context, views...));
        return lamina::testing::heap_uses() - before;
    };
    CHECK(uses_of(operands.input, operands.bias, operands.output) == 1);
    CHECK(uses_of(operands.input, operands.bias, operands.output) == 0);
    CHECK(uses_of(operands.input, operands.bias, operands.bias) == 0);
    CHECK(context.status().code() == LAMINA_BAD_SHAPE);
}
