// The threads that help calls with their parallel loops.
#include "runtime/workers.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <set>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

using namespace lamina::detail;

namespace {

constexpr std::size_t stack_size = 1 << 10;

// A call that runs loops as kernels do, without a kernel.
class TestCall {
public:
    TestCall(Workers& workers, int threads)
        : workers_(workers), memory_(stack_size * static_cast<std::size_t>(threads)),
          call_(threads, {memory_.data(), 0, stack_size}) {}

    int run(int size, const std::function<int(int)>& body, bool is_outermost = true) {
        const auto task = [](void*, int index, std::uint8_t* closure) {
            return (*reinterpret_cast<const std::function<int(int)>*>(closure))(index);
        };
        auto* closure = reinterpret_cast<std::uint8_t*>(const_cast<std::function<int(int)>*>(&body));
        Loop loop(call_, task, 0, size, closure);
        if (is_outermost) {
            Worker first{call_, call_.thread_stack(0), true};
            const CurrentWorker current(first);
            workers_.run(loop, 0, true);
        } else {
            workers_.run(loop, worker()->thread, false);
        }
        return loop.result;
    }
    Worker* worker() const { return worker_of(&call_); }
    int free_threads() const { return call_.free_threads(); }

private:
    Workers& workers_;
    std::vector<std::byte> memory_;
    Call call_;
};

// For tasks of which each waits for the others: they are over only if as many threads run them at once.
class Meeting {
public:
    explicit Meeting(int expected) : expected_(expected) {}

    // 0, or 1 when the others have not come within half a minute.
    int wait() {
        ++present_;
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (present_ < expected_)
            if (std::chrono::steady_clock::now() > end)
                return 1;
        return 0;
    }

private:
    const int expected_;
    std::atomic<int> present_{0};
};

} // namespace

TEST_CASE("as many threads as a call has run its tasks at once, each with scratch of its own",
          "[runtime][workers]") {
    Workers workers;
    for (int threads : {2, 3, 5, 2}) {
        TestCall call(workers, threads);
        Meeting meeting(threads);
        std::mutex mutex;
        std::set<const void*> seen;
        CHECK(call.run(threads, [&](int) {
            {
                const std::lock_guard lock(mutex);
                seen.insert(call.worker()->scratch.allocate(64));
            }
            return meeting.wait();
        }) == 0);
        CHECK(seen.size() == static_cast<std::size_t>(threads));
        CHECK(seen.count(nullptr) == 0);
        CHECK(call.free_threads() == threads - 1);
    }
}

TEST_CASE("never more threads than a call has, every index once", "[runtime][workers]") {
    Workers workers;
    {
        TestCall starts_them(workers, 6);
        starts_them.run(6, [](int) { return 0; });
    }
    for (int threads = 2; threads <= 4; ++threads) {
        TestCall call(workers, threads);
        std::atomic<int> running{0}, too_many{0}, of_index[200] = {};
        for (int times = 1; times <= 20; ++times) {
            CHECK(call.run(10, [&](int outer) {
                return call.run(
                    20,
                    [&, outer](int inner) {
                        if (++running > threads)
                            ++too_many;
                        ++of_index[outer * 20 + inner];
                        --running;
                        return 0;
                    },
                    false);
            }) == 0);
            for (const auto& count : of_index)
                REQUIRE(count == times);
        }
        CHECK(too_many == 0);
    }
}

TEST_CASE("threads without a task help with the loops inside those of others", "[runtime][workers]") {
    Workers workers;
    for (int outer_size : {1, 2, 3}) {
        TestCall call(workers, 3);
        Meeting meeting(3);
        CHECK(call.run(outer_size, [&](int outer) {
            return outer + 1 < outer_size ? 0
                                          : call.run(
                                                3, [&](int) { return meeting.wait(); }, false);
        }) == 0);
    }
}

TEST_CASE("the caller, whose tasks are done, helps with the loops inside those of others",
          "[runtime][workers]") {
    Workers workers;
    TestCall call(workers, 2);
    const std::thread::id caller = std::this_thread::get_id();
    Meeting both_begin(2), inner(2);
    CHECK(call.run(2, [&](int) {
        if (both_begin.wait() != 0)
            return 1;
        if (std::this_thread::get_id() == caller)
            return 0;
        return call.run(
            2, [&](int) { return inner.wait(); }, false);
    }) == 0);
}

TEST_CASE("a thread begins with the tasks that it had in the loop before", "[runtime][workers]") {
    Workers workers;
    constexpr int threads = 3;
    TestCall call(workers, threads);
    std::array<std::thread::id, threads> first;
    for (int times = 0; times < 50; ++times) {
        Meeting meeting(threads);
        std::array<std::thread::id, threads> now;
        REQUIRE(call.run(threads, [&](int index) {
            now[static_cast<std::size_t>(index)] = std::this_thread::get_id();
            return meeting.wait();
        }) == 0);
        CHECK(now[0] == std::this_thread::get_id());
        if (times == 0)
            first = now;
        CHECK(now == first);
    }
}

TEST_CASE("a loop without tasks calls none", "[runtime][workers]") {
    Workers workers;
    TestCall call(workers, 2);
    CHECK(call.run(0, [](int) { return -1; }) == 0);
}

TEST_CASE("after a task that failed no other begins", "[runtime][workers]") {
    Workers workers;
    TestCall call(workers, 2);
    std::atomic<int> begun{0};
    CHECK(call.run(1000000, [&](int index) {
        ++begun;
        return index == 7 ? -42 : 0;
    }) == -42);
    CHECK(begun < 1000000);
}

TEST_CASE("calls at the same time share the threads", "[runtime][workers]") {
    Workers workers;
    std::atomic<int> failures{0};
    const auto many_loops = [&] {
        for (int i = 0; i < 200; ++i) {
            TestCall call(workers, 3);
            std::atomic<int> count{0};
            const int result = call.run(5, [&](int) {
                return call.run(
                    7, [&](int) { return ++count, 0; }, false);
            });
            failures += result != 0 || count != 35;
        }
    };
    std::thread second(many_loops), third(many_loops);
    many_loops();
    second.join();
    third.join();
    CHECK(failures == 0);
}

TEST_CASE("threads that slept are woken, also more than a loop has shares", "[runtime][workers]") {
    Workers workers;
    for (const int threads : {2, Loop::most_shares + 8, Loop::most_shares + 8}) {
        TestCall call(workers, threads);
        Meeting meeting(threads);
        CHECK(call.run(threads, [&](int) { return meeting.wait(); }) == 0);
        // Far longer than it watches before it sleeps; one that does not sleep yet is no failure.
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

#ifndef __SANITIZE_THREAD__ // which refuses new threads in the child of a process with several
TEST_CASE("a child of fork() has threads of its own", "[runtime][workers]") {
    const auto meet = [] {
        TestCall call(workers(), 2);
        Meeting meeting(2);
        return call.run(2, [&](int) { return meeting.wait(); });
    };
    REQUIRE(meet() == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0)
        _exit(meet() == 0 ? 42 : 1);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 42);
    CHECK(meet() == 0);
}
#endif
