#include "workers.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>

#include <pthread.h>
#ifdef __linux__
#include <sched.h>
#endif

namespace lamina::detail {

namespace {

void pause_core() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Moves this thread away from a core where the one that it helps was running, and now waits for it. Linux's
// balancing alone left both there for seconds, and the second core idle: measured with 6.18.
void leave_core([[maybe_unused]] int core) {
#ifdef __linux__
    cpu_set_t allowed;
    if (core < 0 || core >= CPU_SETSIZE || sched_getcpu() != core ||
        sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    cpu_set_t others = allowed;
    CPU_CLR(static_cast<unsigned>(core), &others);
    // Refused where there is no other; else the thread goes at once.
    if (sched_setaffinity(0, sizeof others, &others) == 0)
        sched_setaffinity(0, sizeof allowed, &allowed);
#endif
}

int current_core() {
#ifdef __linux__
    return sched_getcpu();
#else
    return -1;
#endif
}

// Asks is_over() again and again, for a while; its last answer.
template <class IsOver>
bool watch(IsOver is_over) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point end = Clock::now() + std::chrono::microseconds(100);
    do {
        for (int i = 0; i < 32; ++i) {
            if (is_over())
                return true;
            pause_core();
        }
    } while (Clock::now() < end);
    return is_over();
}

} // namespace

Loop::Loop(Call& of, halide_task_t what, int min, int count, std::uint8_t* data)
    : call(of), task(what), closure(data), size(count),
      shares(std::clamp(size, 0, std::min(of.threads(), most_shares))) {
    std::int64_t first = min;
    for (int i = 0; i < shares; ++i) {
        share[i].next.store(first, std::memory_order_relaxed);
        share[i].end = first += size / shares + (i < size % shares);
    }
}

bool Loop::has_tasks() const {
    return result.load(std::memory_order_relaxed) == 0 &&
           std::any_of(share, share + shares, [](const Share& some) {
               return some.next.load(std::memory_order_relaxed) < some.end;
           });
}

namespace {

// The tasks from `first` on of which there are `count` now belong to who asks, 0 when all are taken. As long
// as there are many, several are taken at once, because a task may take no longer than to take it: 0.2 us
// where a gradient of a kernel has 256 tiles in each strip.
std::int64_t take(Loop::Share& share, std::int64_t& first) {
    first = share.next.load(std::memory_order_relaxed);
    while (first < share.end) {
        const std::int64_t count = std::max<std::int64_t>((share.end - first) / 4, 1);
        if (share.next.compare_exchange_weak(first, first + count, std::memory_order_relaxed))
            return count;
    }
    return 0;
}

} // namespace

void run_tasks(Loop& loop, int thread) {
    for (int i = 0; i < loop.shares; ++i) {
        Loop::Share& share = loop.share[(thread + i) % loop.shares];
        std::int64_t index = 0;
        while (std::int64_t count = take(share, index))
            for (; count > 0; --count, ++index) {
                if (loop.result.load(std::memory_order_relaxed) != 0)
                    return;
                const int result = loop.task(&loop.call, static_cast<int>(index), loop.closure);
                int none = 0;
                if (result != 0)
                    loop.result.compare_exchange_strong(none, result);
            }
    }
}

Workers::~Workers() {
    is_stopping_ = true;
    ++opened_;
    opened_.notify_all();
    for (std::thread& thread : threads_)
        thread.join();
}

template <class Condition>
Loop* Workers::join(Condition condition) {
    const std::lock_guard lock(mutex_);
    for (Loop* loop = open_; loop; loop = loop->older)
        if (loop->has_tasks() && condition(*loop)) {
            loop->helpers.fetch_add(1, std::memory_order_relaxed);
            return loop;
        }
    return nullptr;
}

void Workers::run(Loop& loop, int thread, bool is_outermost) {
    open(loop, is_outermost);
    run_tasks(loop, thread);
    close(loop, is_outermost);
    for (;;) {
        const std::uint32_t opened = opened_, left = left_;
        const auto is_done = [&loop] { return loop.helpers.load(std::memory_order_acquire) == 0; };
        if (is_done())
            return;
        // Inside a task there is no scratch for those of other loops.
        Loop* inner = nullptr;
        if (is_outermost)
            inner = join([&loop](const Loop& other) { return &other.call == &loop.call; });
        if (inner) {
            run_tasks(*inner, thread);
            leave(*inner, 0);
        } else if (!watch([&] { return is_done() || (is_outermost && opened_ != opened); })) {
            left_.wait(left);
        }
    }
}

void Workers::open(Loop& loop, bool is_outermost) {
    int free = 0;
    {
        const std::lock_guard lock(mutex_);
        loop.core = current_core();
        loop.older = open_;
        open_ = &loop;
        if (is_outermost) {
            wanted_ += static_cast<std::size_t>(loop.call.threads()) - 1;
            start_threads();
        }
        free = loop.call.free_threads();
    }
    ++opened_;
    for (int i = watching_; i < std::min(free, loop.size - 1); ++i)
        opened_.notify_one();
}

void Workers::close(Loop& loop, bool is_outermost) {
    const std::lock_guard lock(mutex_);
    Loop** place = &open_;
    while (*place != &loop)
        place = &(*place)->older;
    *place = loop.older;
    if (is_outermost)
        wanted_ -= static_cast<std::size_t>(loop.call.threads()) - 1;
}

void Workers::leave(Loop& loop, int taken_thread) {
    {
        const std::lock_guard lock(mutex_);
        loop.call.give_back_thread(taken_thread);
        loop.helpers.fetch_sub(1, std::memory_order_release); // from here on both may be gone
    }
    ++left_;
    left_.notify_all();
}

void Workers::start_threads() {
    try {
        while (threads_.size() < std::min<std::size_t>(wanted_, LAMINA_MAX_THREADS))
            threads_.emplace_back([this, number = static_cast<int>(threads_.size()) + 1] { work(number); });
    } catch (const std::exception&) {
        // As many as the system gives: a loop can do without.
    }
}

void Workers::work(int number) {
    while (!is_stopping_) {
        const std::uint32_t opened = opened_;
        int thread = 0;
        if (Loop* loop = join([&](const Loop& some) { return some.call.take_thread(number, thread); })) {
            leave_core(loop->core);
            Worker worker{loop->call, loop->call.thread_stack(thread), true, thread};
            {
                const CurrentWorker current(worker);
                run_tasks(*loop, thread);
            }
            leave(*loop, thread);
            continue;
        }
        ++watching_;
        const bool is_over = watch([&] { return opened_ != opened; });
        --watching_;
        if (!is_over)
            opened_.wait(opened);
    }
}

namespace {

class ProcessWorkers {
public:
    ProcessWorkers() {
        begin();
        pthread_atfork(nullptr, nullptr, [] { process().begin(); });
    }
    ~ProcessWorkers() { get().~Workers(); }
    ProcessWorkers(const ProcessWorkers&) = delete;
    ProcessWorkers& operator=(const ProcessWorkers&) = delete;

    static ProcessWorkers& process() {
        static ProcessWorkers process;
        return process;
    }
    Workers& get() { return *std::launder(reinterpret_cast<Workers*>(memory_)); }

private:
    // In a child of fork() over those of the parent, whose threads it does not have.
    void begin() { new (memory_) Workers; }

    alignas(Workers) std::byte memory_[sizeof(Workers)];
};

} // namespace

Workers& workers() {
    return ProcessWorkers::process().get();
}

} // namespace lamina::detail
