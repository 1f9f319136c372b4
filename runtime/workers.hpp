// The process's threads that help calls with their parallel loops.
#pragma once

#include "hooks.hpp"

#include <mutex>
#include <thread>
#include <vector>

namespace lamina::detail {

// A parallel loop that is under way. Each thread begins with a share of the tasks that is its own, the same
// ones in loops one after the other, so that it finds in its caches what it wrote there; then it helps with
// others'.
struct Loop {
    static constexpr int most_shares = 32;
    struct alignas(64) Share {
        std::atomic<std::int64_t> next;
        std::int64_t end;
    };

    Loop(Call& of, halide_task_t what, int min, int count, std::uint8_t* data);
    bool has_tasks() const;

    Call& call;
    const halide_task_t task;
    std::uint8_t* const closure;
    const int size, shares;
    Share share[most_shares];    // as many as `shares` says
    std::atomic<int> result{0};  // of the first task that failed
    std::atomic<int> helpers{0}; // threads beside the one whose loop it is
    int core = -1;               // where it was opened, -1: not known
    Loop* older = nullptr;       // of the open loops
};

// Runs tasks until all are taken or one has failed.
void run_tasks(Loop& loop, int thread);

// Threads that look for open loops. A loop is over as soon as its tasks are done: a thread that comes too
// late is not waited for. Who has nothing left to do in a loop helps with the loops inside the tasks of
// others.
//
// Threads are started when calls first ask for them and end with the process. One that finds nothing to do
// watches for 100 us before it sleeps: to be woken takes as long as a small layer does, 30 us measured on a
// virtual machine with Zen 5 cores.
class Workers {
public:
    ~Workers();

    // Runs all tasks, on this thread, of this number, and up to call.threads() - 1 others. An outermost loop
    // is in no task of another one.
    void run(Loop& loop, int thread, bool is_outermost);

private:
    void open(Loop& loop, bool is_outermost);
    void close(Loop& loop, bool is_outermost);
    // An open loop that has tasks left and satisfies the condition, asked in the end; null if there is none.
    template <class Condition>
    Loop* join(Condition condition);
    // With the number that the thread took, or 0.
    void leave(Loop& loop, int taken_thread);
    void start_threads();
    void work(int number);

    std::mutex mutex_; // of the next three
    Loop* open_ = nullptr;
    std::vector<std::thread> threads_;
    std::size_t wanted_ = 0; // threads, by all calls that are under way

    std::atomic<bool> is_stopping_{false};
    std::atomic<std::uint32_t> opened_{0}, left_{0}; // how often loops were
    std::atomic<int> watching_{0};                   // threads that have nothing to do and do not sleep yet
};

// The process's own; a child of fork() begins with new ones.
Workers& workers();

} // namespace lamina::detail
