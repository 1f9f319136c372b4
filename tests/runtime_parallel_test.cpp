// Parallel loops of a call: every index once, scratch per thread, errors, and calls at the same time.
#include "fake_kernels.hpp"
#include "foreign_halide.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <cstring>
#include <thread>

using namespace lamina;
using namespace lamina::test;

namespace {

constexpr int loop_min = -3, loop_size = 100;
constexpr std::size_t block_size = 300;

struct Counts {
    std::atomic<int> of_index[loop_size] = {};
    std::atomic<int> running{0}, most_running{0}, broken_blocks{0};

    bool are_all(int expected) const {
        for (const auto& count : of_index)
            if (count != expected)
                return false;
        return true;
    }
};
thread_local Counts* counts_of_kernel = nullptr; // of the thread that calls

// Holds a block while others run, and sees whether it stays its own.
void hold_block(void* context, int index, Counts& counts) {
    auto* block = static_cast<unsigned char*>(halide_malloc(context, block_size));
    if (!block) {
        ++counts.broken_blocks;
        return;
    }
    std::memset(block, index & 0xff, block_size);
    std::this_thread::yield();
    for (std::size_t i = 0; i < block_size; ++i)
        if (block[i] != (index & 0xff))
            ++counts.broken_blocks;
    halide_free(context, block);
}

int count_indices(void** arguments) {
    void* const context = user_context(arguments);
    Counts& counts = *counts_of_kernel;
    return parallel_for(context, loop_min, loop_size, [&](int index) {
        const int running = ++counts.running;
        int most = counts.most_running;
        while (running > most && !counts.most_running.compare_exchange_weak(most, running)) {
        }
        ++counts.of_index[index - loop_min];
        hold_block(context, index, counts);
        --counts.running;
        return 0;
    });
}

int count_indices_nested(void** arguments) {
    void* const context = user_context(arguments);
    Counts& counts = *counts_of_kernel;
    return parallel_for(context, 0, 10, [&](int outer) {
        const std::thread::id thread = std::this_thread::get_id();
        return parallel_for(context, 0, 10, [&, outer, thread](int inner) {
            ++counts.of_index[outer * 10 + inner];
            hold_block(context, inner, counts);
            return thread == std::this_thread::get_id() ? 0 : 1;
        });
    });
}

FakeKernel fake_with_thread_scratch() {
    FakeKernel fake;
    fake.scratch_per_thread = detail::scratch_stack_size(detail::scratch_block_size(block_size));
    return fake;
}

lamina_code call_counting(int (*function)(void**), int threads, Counts& counts) {
    const FakeKernel fake = fake_with_thread_scratch();
    const lamina_kernel kernel = fake.kernel(function);
    FakeOperands operands;
    Context context(ContextOptions{.threads = threads});
    counts_of_kernel = &counts;
    return call(kernel, context, operands.input, operands.bias, operands.output).code();
}

class FiveThreads {
public:
    FiveThreads() : previous_(halide_set_num_threads(5)) {}
    ~FiveThreads() { halide_set_num_threads(previous_); }
    FiveThreads(const FiveThreads&) = delete;
    FiveThreads& operator=(const FiveThreads&) = delete;

private:
    int previous_;
};

} // namespace

TEST_CASE("a parallel loop runs every index once, on as many threads as allowed", "[runtime]") {
    const FiveThreads pool;
    for (int threads = 1; threads <= 5; ++threads) {
        Counts counts;
        const int loops = foreign_hooks().loops;
        CHECK(call_counting(count_indices, threads, counts) == LAMINA_OK);
        CHECK(counts.are_all(1));
        CHECK(counts.most_running <= threads);
        CHECK(counts.broken_blocks == 0);
        CHECK(foreign_hooks().loops == loops + (threads > 1 ? 1 : 0));
    }
}

TEST_CASE("more threads than the pool has still run every index once", "[runtime]") {
    Counts counts;
    CHECK(call_counting(count_indices, 1000, counts) == LAMINA_OK);
    CHECK(counts.are_all(1));
    CHECK(counts.broken_blocks == 0);
}

TEST_CASE("a loop inside a loop stays on its thread", "[runtime]") {
    const FiveThreads pool;
    for (int threads : {1, 3}) {
        Counts counts;
        CHECK(call_counting(count_indices_nested, threads, counts) == LAMINA_OK);
        CHECK(counts.are_all(1));
        CHECK(counts.broken_blocks == 0);
    }
}

TEST_CASE("an empty parallel loop does nothing", "[runtime]") {
    const FakeKernel fake;
    FakeOperands operands;
    for (int threads : {1, 2}) {
        Context context(ContextOptions{.threads = threads});
        const lamina_kernel kernel = fake.kernel([](void** arguments) {
            return parallel_for(user_context(arguments), 5, 0, [](int) { return -1; });
        });
        CHECK(call(kernel, context, operands.input, operands.bias, operands.output));
    }
}

TEST_CASE("what a failing task returned and said comes back", "[runtime]") {
    const FiveThreads pool;
    const FakeKernel fake;
    FakeOperands operands;
    const lamina_kernel kernel = fake.kernel([](void** arguments) {
        void* const context = user_context(arguments);
        const int result = parallel_for(context, 0, 64, [context](int index) {
            if (index == 7)
                halide_error(context, "index seven\n");
            return index == 7 ? -42 : 0;
        });
        return result == -42 ? result : 1;
    });
    const lamina_kernel silent = fake.kernel([](void** arguments) {
        return parallel_for(user_context(arguments), 0, 8, [](int index) { return index == 3 ? -5 : 0; });
    });
    const int errors = foreign_hooks().errors;
    for (int threads : {1, 4}) {
        Context context(ContextOptions{.threads = threads});
        Status status = call(kernel, context, operands.input, operands.bias, operands.output);
        CHECK(status.code() == LAMINA_KERNEL_ERROR);
        CHECK(status.message() == "fake in=1x2x3x4: kernel error: index seven");
        status = call(silent, context, operands.input, operands.bias, operands.output);
        CHECK(status.message() == "fake in=1x2x3x4: kernel error: the kernel returned -5");
    }
    CHECK(foreign_hooks().errors == errors);
}

TEST_CASE("threads with a context each call at the same time", "[runtime]") {
    const FiveThreads pool;
    std::atomic<int> failures{0};
    const auto many_calls = [&failures] {
        for (int i = 0; i < 50; ++i) {
            Counts counts;
            if (call_counting(count_indices, 3, counts) != LAMINA_OK || !counts.are_all(1) ||
                counts.broken_blocks != 0)
                ++failures;
        }
    };
    std::thread other(many_calls);
    many_calls();
    other.join();
    CHECK(failures == 0);
}
