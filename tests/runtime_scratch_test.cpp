// Where a kernel's memory comes from, and that it comes from nowhere else.
#include "fake_kernels.hpp"
#include "foreign_halide.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>

using namespace lamina;
using namespace lamina::test;
using detail::scratch_block_size;
using detail::scratch_stack_size;

namespace {

bool is_aligned(const void* memory) {
    return reinterpret_cast<std::uintptr_t>(memory) % LAMINA_SCRATCH_ALIGNMENT == 0;
}

struct AlignedMemory {
    explicit AlignedMemory(std::size_t size)
        : data(static_cast<std::byte*>(std::aligned_alloc(128, (size + 255) / 128 * 128))), size(size) {}
    ~AlignedMemory() { std::free(data); }
    AlignedMemory(const AlignedMemory&) = delete;
    AlignedMemory& operator=(const AlignedMemory&) = delete;

    std::byte* data;
    std::size_t size;
};

struct CountingAllocator {
    int allocations = 0, releases = 0;
    bool is_empty = false;
    std::size_t offset = 0;

    lamina_allocator allocator() {
        return {[](void* self, std::size_t size, std::size_t alignment) -> void* {
                    auto& counts = *static_cast<CountingAllocator*>(self);
                    if (counts.is_empty)
                        return nullptr;
                    ++counts.allocations;
                    return static_cast<char*>(std::aligned_alloc(alignment, size + alignment)) +
                           counts.offset;
                },
                [](void* self, void* memory) {
                    auto& counts = *static_cast<CountingAllocator*>(self);
                    ++counts.releases;
                    std::free(static_cast<char*>(memory) - counts.offset);
                },
                this};
    }
};

// Two blocks that live together, the first freed first, and a third where the first was.
constexpr std::size_t first_size = 1000, second_size = 128;
void* first_block = nullptr;

int use_scratch(void** arguments) {
    void* const context = user_context(arguments);
    void* const a = halide_malloc(context, first_size);
    void* const b = halide_malloc(context, second_size);
    if (!a || !b)
        return halide_error_out_of_memory(context);
    first_block = a;
    std::memset(a, 1, first_size);
    std::memset(b, 2, second_size);
    halide_free(context, a);
    const bool are_aligned = is_aligned(a) && is_aligned(b);
    const bool is_b_whole = static_cast<char*>(b)[0] == 2 && static_cast<char*>(b)[second_size - 1] == 2;
    halide_free(context, b);
    void* const c = halide_malloc(context, first_size);
    halide_free(context, c);
    return are_aligned && is_b_whole && c == a ? add_bias(arguments) : -1;
}

FakeKernel fake_with_scratch() {
    FakeKernel fake;
    fake.scratch_serial =
        scratch_stack_size(scratch_block_size(first_size) + scratch_block_size(second_size));
    return fake;
}

Status call_fake(const lamina_kernel& kernel, Context& context) {
    FakeOperands operands;
    Status status = call(kernel, context, operands.input, operands.bias, operands.output);
    CHECK((status || operands.is_output_untouched()));
    return status;
}

} // namespace

TEST_CASE("the scratch of a kernel is its serial part and one part per thread", "[runtime]") {
    FakeKernel fake;
    fake.scratch_serial = 256;
    fake.scratch_per_thread = 384;
    const lamina_kernel kernel = fake.kernel(add_bias);
    CHECK(lamina_scratch_size(&kernel, 0) == 640);
    CHECK(lamina_scratch_size(&kernel, 1) == 640);
    CHECK(lamina_scratch_size(&kernel, 3) == 256 + 3 * 384);
    CHECK(lamina_scratch_size(nullptr, 3) == 0);
    STATIC_REQUIRE(scratch_block_size(0) == 128);
    STATIC_REQUIRE(scratch_block_size(1) == 256);
    STATIC_REQUIRE(scratch_block_size(128) == 256);
    STATIC_REQUIRE(scratch_stack_size(0) == 0);
    STATIC_REQUIRE(scratch_stack_size(256) == 384);
}

TEST_CASE("the caller's scratch may be exactly enough, and not a byte less", "[runtime]") {
    const FakeKernel fake = fake_with_scratch();
    const lamina_kernel kernel = fake.kernel(use_scratch);
    const std::size_t size = lamina_scratch_size(&kernel, 1);
    const AlignedMemory memory(size);
    std::memset(memory.data, 0x5a, memory.size);
    Context exact(ContextOptions{.scratch = {memory.data, size}});
    CHECK(call_fake(kernel, exact));
    CHECK(first_block == memory.data + 128);
    for (std::size_t i = size; i < memory.size; ++i)
        CHECK(memory.data[i] == std::byte{0x5a});

    Context shorter(ContextOptions{.scratch = {memory.data, size - 1}});
    Status status = call_fake(kernel, shorter);
    CHECK(status.code() == LAMINA_BAD_CONTEXT);
    CHECK(status.message() == "fake in=1x2x3x4: bad context: scratch of 1535 bytes is less than the 1536 "
                              "bytes that 1 thread needs");
    Context misaligned(ContextOptions{.scratch = {memory.data + 64, size}});
    status = call_fake(kernel, misaligned);
    CHECK(status.code() == LAMINA_BAD_CONTEXT);
    CHECK(status.message() == "fake in=1x2x3x4: bad context: scratch of 1536 bytes, for the 1536 bytes that "
                              "1 thread needs, is not aligned to 128 bytes");
}

TEST_CASE("a kernel that asks for more than it said is refused, not fed from elsewhere", "[runtime]") {
    FakeKernel fake = fake_with_scratch();
    fake.scratch_serial -= 128;
    const lamina_kernel kernel = fake.kernel(use_scratch);
    const int mallocs = foreign_hooks().mallocs;
    Context context;
    const Status status = call_fake(kernel, context);
    CHECK(status.code() == LAMINA_OUT_OF_MEMORY);
    CHECK(status.message() == "fake in=1x2x3x4: out of memory: the kernel asked for 128 bytes beyond the "
                              "scratch that it says it needs");
    CHECK(foreign_hooks().mallocs == mallocs);
}

TEST_CASE("kept scratch serves the next call and grows where it must", "[runtime]") {
    FakeKernel fake = fake_with_scratch();
    const lamina_kernel kernel = fake.kernel(use_scratch);
    CountingAllocator counts;
    {
        Context context(ContextOptions{.allocator = counts.allocator()});
        CHECK(call_fake(kernel, context));
        CHECK(call_fake(kernel, context));
        CHECK(counts.allocations == 1);
        fake.scratch_per_thread = 128;
        const lamina_kernel larger = fake.kernel(use_scratch);
        CHECK(call_fake(larger, context));
        CHECK(counts.allocations == 2);
        Context moved = std::move(context);
        CHECK(call_fake(kernel, moved));
        CHECK(counts.allocations == 2);
        CHECK(counts.releases == 1);
        moved.release();
        CHECK(counts.releases == 2);
        CHECK(call_fake(kernel, moved));
        CHECK(counts.allocations == 3);
    }
    CHECK(counts.releases == 3);
}

TEST_CASE("a call without a context has scratch of its own", "[runtime]") {
    const FakeKernel fake = fake_with_scratch();
    const lamina_kernel kernel = fake.kernel(use_scratch);
    FakeOperands operands;
    CHECK(lamina_call(&kernel, nullptr, operands.views().data(), 3) == LAMINA_OK);
}

TEST_CASE("a kernel without scratch asks no allocator", "[runtime]") {
    const FakeKernel fake;
    CountingAllocator counts;
    Context context(ContextOptions{.allocator = counts.allocator()});
    CHECK(call_fake(fake.kernel(add_bias), context));
    CHECK(counts.allocations == 0);
}

TEST_CASE("allocators that give nothing or too little are refused", "[runtime]") {
    const FakeKernel fake = fake_with_scratch();
    const lamina_kernel kernel = fake.kernel(use_scratch);
    CountingAllocator counts;
    counts.is_empty = true;
    Context context(ContextOptions{.allocator = counts.allocator()});
    Status status = call_fake(kernel, context);
    CHECK(status.code() == LAMINA_OUT_OF_MEMORY);
    CHECK(status.message() ==
          "fake in=1x2x3x4: out of memory: no memory for the scratch of 1536 bytes that 1 thread needs");
    counts.is_empty = false;
    counts.offset = 8;
    CHECK(call_fake(kernel, context).code() == LAMINA_BAD_CONTEXT);
    CHECK(counts.releases == 1);
    lamina_allocator half = counts.allocator();
    half.release = nullptr;
    Context leaking(ContextOptions{.allocator = half});
    status = call_fake(kernel, leaking);
    CHECK(status.code() == LAMINA_BAD_CONTEXT);
    CHECK(status.message() ==
          "fake in=1x2x3x4: bad context: the allocator has only one of allocate and release");
}

TEST_CASE("scratch beyond the address space is out of memory", "[runtime]") {
    FakeKernel fake;
    fake.scratch_per_thread = SIZE_MAX / 2;
    const lamina_kernel kernel = fake.kernel(add_bias);
    CHECK(lamina_scratch_size(&kernel, 1000) == SIZE_MAX);
    Context context(ContextOptions{.threads = 1000});
    CHECK(call_fake(kernel, context).code() == LAMINA_OUT_OF_MEMORY);
}
