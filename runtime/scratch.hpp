// Where the memory of a call's scratch comes from.
#pragma once

#include "lamina/scratch.hpp"
#include "refusal.hpp"

namespace lamina::detail {

struct ScratchNeed {
    std::size_t serial, per_thread; // multiples of the alignment
    int threads;

    std::size_t total() const {
        const auto count = static_cast<std::size_t>(threads);
        const bool is_beyond = per_thread > SIZE_MAX / count;
        return is_beyond ? SIZE_MAX : scratch_sum(serial, per_thread * count);
    }
};

inline ScratchNeed scratch_need(const lamina_kernel& kernel, int threads) {
    return {scratch_aligned(kernel.scratch_serial), scratch_aligned(kernel.scratch_per_thread),
            threads < 1 ? 1 : threads};
}

// Aligned as scratch is; the C library's where the allocator is empty. Null where there is none.
void* allocate_memory(const lamina_allocator& allocator, std::size_t size) noexcept;
void release_memory(const lamina_allocator& allocator, void* memory) noexcept;

// A context's threads, scratch and allocator, as far as a call depends on them.
MaybeRefusal check_context(const lamina_context& context, const ScratchNeed& need);

// The scratch of one call: the caller's, what the context kept, or, without a context, the call's own.
class CallScratch {
public:
    CallScratch() = default;
    CallScratch(const CallScratch&) = delete;
    CallScratch& operator=(const CallScratch&) = delete;
    ~CallScratch();

    MaybeRefusal acquire(lamina_context* context, const ScratchNeed& need);
    std::byte* memory() const { return static_cast<std::byte*>(memory_); }

private:
    void* memory_ = nullptr;
    bool is_own_ = false;
};

} // namespace lamina::detail
