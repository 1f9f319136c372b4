// Halide's runtime asks for memory, threads and error handling through functions of the whole process. Lamina
// answers for its own calls and passes everything else on to whoever answered before.
#pragma once

#include "scratch_stack.hpp"

#include <HalideRuntime.h>

#include <atomic>
#include <bitset>

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

    // Numbers of the threads that may join: from 1 on, as 0 is the caller's. Whoever calls these sees to it
    // that no two do so at once.
    int free_threads() const { return threads_ - 1 - static_cast<int>(taken_.count()); }
    // `preferred` or, should that be taken, the next free one.
    bool take_thread(int preferred, int& thread) {
        for (int i = 0; i < threads_ - 1; ++i) {
            thread = 1 + (preferred - 1 + i) % (threads_ - 1);
            if (!taken_.test(static_cast<std::size_t>(thread))) {
                taken_.set(static_cast<std::size_t>(thread));
                return true;
            }
        }
        return false;
    }
    void give_back_thread(int thread) { taken_.reset(static_cast<std::size_t>(thread)); }

    // The first one counts; any thread of the call may come.
    void note_error(const char* text) noexcept;
    void note_refused_scratch(std::size_t bytes) noexcept;

    // Only when no thread works for the call any more.
    const char* error() const { return error_; }
    std::size_t refused_scratch() const { return refused_scratch_.load(std::memory_order_relaxed); }

private:
    const int threads_;
    const Scratch scratch_;
    std::bitset<LAMINA_MAX_THREADS> taken_;
    std::atomic_flag has_error_{};
    std::atomic<std::size_t> refused_scratch_{0};
    char error_[LAMINA_MESSAGE_SIZE / 2] = "";
};

// What a thread is doing for a call.
struct Worker {
    Call& call;
    ScratchStack scratch;
    bool is_in_parallel_loop;
    int thread = 0; // its number among those of the call
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

// The function that ran parallel loops before Lamina's hook: Halide's own, unless the app has threads for
// them.
extern std::atomic<halide_do_par_for_t> previous_do_par_for;

} // namespace lamina::detail
