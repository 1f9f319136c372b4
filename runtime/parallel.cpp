#include "hooks.hpp"

#include <algorithm>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LAMINA_TSAN 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define LAMINA_TSAN 1
#endif
#ifdef LAMINA_TSAN
extern "C" void __tsan_acquire(void*);
extern "C" void __tsan_release(void*);
#endif

namespace lamina::detail {

namespace {

// Halide's thread pool orders its threads with atomics that are compiled into the runtime object, where the
// thread sanitizer does not see them.
void tell_sanitizer_acquired([[maybe_unused]] void* address) {
#ifdef LAMINA_TSAN
    __tsan_acquire(address);
#endif
}
void tell_sanitizer_released([[maybe_unused]] void* address) {
#ifdef LAMINA_TSAN
    __tsan_release(address);
#endif
}

struct Loop {
    Call& call;
    halide_task_t task;
    int min, size;
    std::uint8_t* closure;
    std::atomic<std::int64_t> next{0};
    std::atomic<int> result{0}; // of the first task that failed
};

void run_tasks(Loop& loop) {
    while (loop.result.load(std::memory_order_relaxed) == 0) {
        const std::int64_t index = loop.next.fetch_add(1, std::memory_order_relaxed);
        if (index >= loop.size)
            return;
        const int result = loop.task(&loop.call, static_cast<int>(loop.min + index), loop.closure);
        int none = 0;
        if (result != 0)
            loop.result.compare_exchange_strong(none, result);
    }
}

// One task of the pool: a thread's share of the loop. The pool never runs two of the same number at once,
// so that the number is also that of the thread's scratch.
int run_share(void*, int thread, std::uint8_t* closure) {
    tell_sanitizer_acquired(closure);
    Loop& loop = *reinterpret_cast<Loop*>(closure);
    Worker worker{loop.call, loop.call.thread_stack(thread), true};
    {
        const CurrentWorker current(worker);
        run_tasks(loop);
    }
    tell_sanitizer_released(closure);
    return 0;
}

} // namespace

int run_parallel_loop(void* user_context, halide_task_t task, int min, int size, std::uint8_t* closure) {
    const Worker* worker = worker_of(user_context);
    if (!worker)
        return previous_do_par_for.load()(user_context, task, min, size, closure);
    Loop loop{worker->call, task, min, size, closure};
    auto* shared = reinterpret_cast<std::uint8_t*>(&loop);
    const int shares = std::min(worker->call.threads(), size);
    if (worker->is_in_parallel_loop) {
        run_tasks(loop);
    } else if (shares <= 1) {
        run_share(user_context, 0, shared);
    } else {
        tell_sanitizer_released(shared);
        const int pool_result = previous_do_par_for.load()(user_context, run_share, 0, shares, shared);
        tell_sanitizer_acquired(shared);
        if (loop.result == 0)
            return pool_result;
    }
    return loop.result;
}

} // namespace lamina::detail
