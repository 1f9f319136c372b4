// How calls run: threads and scratch.
#pragma once

#include "lamina/status.hpp"

#include <cstddef>
#include <span>

namespace lamina {

struct ContextOptions {
    int threads = 1;
    std::span<std::byte> scratch{}; // aligned to LAMINA_SCRATCH_ALIGNMENT; empty: from the allocator
    lamina_allocator allocator{};   // empty: the C library's
};

// Owns what calls keep for the next one. One context serves one call at a time; threads that call at the same
// time have one each.
class Context {
public:
    Context() : Context(ContextOptions{}) {}
    explicit Context(const ContextOptions& options) {
        context_.threads = options.threads;
        context_.scratch = options.scratch.data();
        context_.scratch_size = options.scratch.size();
        context_.allocator = options.allocator;
    }
    Context(Context&& other) noexcept : context_(other.context_) { other.forget_kept_scratch(); }
    Context& operator=(Context&& other) noexcept {
        if (this != &other) {
            release();
            context_ = other.context_;
            other.forget_kept_scratch();
        }
        return *this;
    }
    ~Context() { release(); }

    void set_threads(int threads) { context_.threads = threads; }
    int threads() const { return context_.threads; }

    // Frees the kept scratch; the next call allocates again.
    void release() { lamina_context_release(&context_); }

    // Of the last call.
    Status status() const { return {context_.code, context_.message}; }

    lamina_context* get() { return &context_; }

private:
    void forget_kept_scratch() {
        context_.kept_scratch = nullptr;
        context_.kept_scratch_size = 0;
    }

    lamina_context context_{};
};

} // namespace lamina
