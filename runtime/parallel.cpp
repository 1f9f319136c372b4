#include "workers.hpp"

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

// The app's threads may be ordered by means that the thread sanitizer does not see, as those of Halide's pool
// are, which come with a runtime object that is not instrumented.
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

// A thread's share of a loop that the app's threads run. They never run two of the same number at once, so
// that the number is also that of the thread's scratch.
int run_share(void*, int thread, std::uint8_t* closure) {
    tell_sanitizer_acquired(closure);
    Loop& loop = *reinterpret_cast<Loop*>(closure);
    Worker worker{loop.call, loop.call.thread_stack(thread), true, thread};
    {
        const CurrentWorker current(worker);
        run_tasks(loop, thread);
    }
    tell_sanitizer_released(closure);
    return 0;
}

int run_alone(void* user_context, halide_task_t task, int min, int size, std::uint8_t* closure) {
    int result = 0;
    for (int i = 0; i < size && result == 0; ++i)
        result = task(user_context, min + i, closure);
    return result;
}

// By the threads of an app that had a hook for loops of its own before Lamina's.
void run_by_app(Loop& loop) {
    auto* shared = reinterpret_cast<std::uint8_t*>(&loop);
    tell_sanitizer_released(shared);
    const int result = previous_do_par_for.load()(&loop.call, run_share, 0, loop.shares, shared);
    tell_sanitizer_acquired(shared);
    if (loop.result == 0)
        loop.result = result;
}

int run_for(const Worker& worker, bool is_outermost, halide_task_t task, int min, int size,
            std::uint8_t* closure) {
    Call& call = worker.call;
    const bool has_workers = previous_do_par_for == halide_default_do_par_for;
    // Workers also help with what is inside an outermost loop of one task.
    const bool is_alone = has_workers ? size <= 1 && !is_outermost : size <= 1 || !is_outermost;
    if (is_alone || call.threads() == 1)
        return run_alone(&call, task, min, size, closure);
    Loop loop(call, task, min, size, closure);
    if (has_workers)
        workers().run(loop, worker.thread, is_outermost);
    else
        run_by_app(loop);
    return loop.result;
}

} // namespace

int run_parallel_loop(void* user_context, halide_task_t task, int min, int size, std::uint8_t* closure) {
    const Worker* worker = worker_of(user_context);
    if (!worker)
        return previous_do_par_for.load()(user_context, task, min, size, closure);
    if (worker->is_in_parallel_loop)
        return run_for(*worker, false, task, min, size, closure);
    Worker first{worker->call, worker->call.thread_stack(0), true};
    const CurrentWorker current(first);
    return run_for(first, true, task, min, size, closure);
}

} // namespace lamina::detail
