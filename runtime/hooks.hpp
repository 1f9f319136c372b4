// Halide's runtime asks for memory, threads and error handling through functions of the whole process. Lamina
// answers for its own calls and passes everything else on to whoever answered before.
#pragma once

#include "scratch_stack.hpp"

#include <HalideRuntime.h>

#include <atomic>

namespace lamina::detail {

// A running call. Its address is the user_context that Halide hands to every hook.
class Call {
public:
    struct Scratch {
        std::byte* memory = nullptr;
        std::size_t serial = 0, per_thread = 0;
    };

    Call(int threads, const Scratch& scratch) : threads_(threads), scratch_(scratch) {}
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    int threads() const { return threads_; }
    ScratchStack serial_stack() const { return {scratch_.memory, scratch_.serial}; }
    ScratchStack thread_stack(int thread) const {
        return {scratch_.memory + scratch_.serial + static_cast<std::size_t>(thread) * scratch_.per_thread,
                scratch_.per_thread};
    }

    // The first one counts; any thread of the call may come.
    void note_error(const char* text) noexcept;
    void note_refused_scratch(std::size_t bytes) noexcept;

    // Only when no thread works for the call any more.
    const char* error() const { return error_; }
    std::size_t refused_scratch() const { return refused_scratch_.load(std::memory_order_relaxed); }

private:
    const int threads_;
    const Scratch scratch_;
    std::atomic_flag has_error_{};
    std::atomic<std::size_t> refused_scratch_{0};
    char error_[LAMINA_MESSAGE_SIZE / 2] = "";
};

// What a thread is doing for a call.
struct Worker {
    Call& call;
    ScratchStack scratch;
    bool is_in_parallel_loop;
};

// Makes `worker` this thread's current one while it lives.
class CurrentWorker {
public:
    explicit CurrentWorker(Worker& worker) noexcept;
    ~CurrentWorker();
    CurrentWorker(const CurrentWorker&) = delete;
    CurrentWorker& operator=(const CurrentWorker&) = delete;

private:
    Worker* const outer_;
};

// This thread's worker if it works for the call that `user_context` stands for, else null. The context is
// compared, never followed: other Halide code in the process has contexts of its own.
Worker* worker_of(const void* user_context) noexcept;

// Installs the hooks, the first time.
void install_hooks() noexcept;

int run_parallel_loop(void* user_context, halide_task_t task, int min, int size, std::uint8_t* closure);

// The function that ran parallel loops before Lamina's hook.
extern std::atomic<halide_do_par_for_t> previous_do_par_for;

} // namespace lamina::detail
