#include "scratch.hpp"

#include <cstdlib>

namespace lamina::detail {

namespace {

bool is_aligned(const void* memory) {
    return reinterpret_cast<std::uintptr_t>(memory) % scratch_alignment == 0;
}

Text count_text(std::size_t bytes) {
    constexpr std::size_t limit = INT64_MAX;
    return Text() << static_cast<std::int64_t>(bytes < limit ? bytes : limit);
}

Text need_text(const ScratchNeed& need) {
    return count_text(need.total()) << " bytes that " << need.threads
                                    << (need.threads == 1 ? " thread needs" : " threads need");
}

} // namespace

void* allocate_memory(const lamina_allocator& allocator, std::size_t size) noexcept {
    if (allocator.allocate)
        return allocator.allocate(allocator.self, size, scratch_alignment);
    if (size > PTRDIFF_MAX)
        return nullptr;
    return std::aligned_alloc(scratch_alignment, scratch_aligned(size));
}

void release_memory(const lamina_allocator& allocator, void* memory) noexcept {
    if (allocator.release)
        allocator.release(allocator.self, memory);
    else
        std::free(memory);
}

MaybeRefusal check_context(const lamina_context& context, const ScratchNeed& need) {
    if (context.threads < 0 || context.threads > LAMINA_MAX_THREADS)
        return Refusal{LAMINA_BAD_CONTEXT, nullptr,
                       Text("expected 0 to ") << LAMINA_MAX_THREADS << " threads, got " << context.threads};
    if (!context.allocator.allocate != !context.allocator.release)
        return Refusal{LAMINA_BAD_CONTEXT, nullptr, "the allocator has only one of allocate and release"};
    const std::size_t total = need.total();
    if (!context.scratch || total == 0)
        return {};
    if (context.scratch_size < total)
        return Refusal{LAMINA_BAD_CONTEXT, nullptr,
                       Text("scratch of ") << count_text(context.scratch_size) << " bytes is less than the "
                                           << need_text(need)};
    if (!is_aligned(context.scratch))
        return Refusal{LAMINA_BAD_CONTEXT, nullptr,
                       Text("scratch of ")
                           << count_text(context.scratch_size) << " bytes, for the " << need_text(need)
                           << ", is not aligned to " << static_cast<int>(scratch_alignment) << " bytes"};
    return {};
}

CallScratch::~CallScratch() {
    if (is_own_)
        release_memory({}, memory_);
}

MaybeRefusal CallScratch::acquire(lamina_context* context, const ScratchNeed& need) {
    const std::size_t total = need.total();
    if (total == 0)
        return {};
    if (context && context->scratch) {
        memory_ = context->scratch;
        return {};
    }
    if (context && context->kept_scratch_size >= total) {
        memory_ = context->kept_scratch;
        return {};
    }
    lamina_context_release(context);
    const lamina_allocator allocator = context ? context->allocator : lamina_allocator{};
    memory_ = allocate_memory(allocator, total);
    is_own_ = memory_ && !context;
    if (!memory_)
        return Refusal{LAMINA_OUT_OF_MEMORY, nullptr,
                       Text("no memory for the scratch of ") << need_text(need)};
    if (!is_aligned(memory_)) {
        release_memory(allocator, memory_);
        return Refusal{LAMINA_BAD_CONTEXT, nullptr,
                       "the allocator's memory is not aligned as it was asked to be"};
    }
    if (context) {
        context->kept_scratch = memory_;
        context->kept_scratch_size = total;
    }
    return {};
}

} // namespace lamina::detail
