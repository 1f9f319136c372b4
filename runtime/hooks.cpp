#include "hooks.hpp"

#include <algorithm>
#include <cstring>

namespace lamina::detail {

namespace {

thread_local Worker* current_worker = nullptr;

// Halide's own until the exchange: a hook may be called by another thread before halide_set_custom_*() has
// returned what it replaced.
std::atomic<halide_malloc_t> previous_malloc{halide_default_malloc};
std::atomic<halide_free_t> previous_free{halide_default_free};
std::atomic<halide_error_handler_t> previous_error{halide_default_error};
std::atomic<halide_print_t> previous_print{halide_default_print};

void* malloc_hook(void* user_context, std::size_t bytes) {
    Worker* worker = worker_of(user_context);
    if (!worker)
        return previous_malloc.load()(user_context, bytes);
    void* block = worker->scratch.allocate(bytes);
    if (!block)
        worker->call.note_refused_scratch(bytes);
    return block;
}

void free_hook(void* user_context, void* block) {
    Worker* worker = worker_of(user_context);
    if (!worker)
        previous_free.load()(user_context, block);
    else if (worker->scratch.owns(block))
        worker->scratch.release(block);
}

void error_hook(void* user_context, const char* text) {
    if (Worker* worker = worker_of(user_context))
        worker->call.note_error(text);
    else
        previous_error.load()(user_context, text);
}

void print_hook(void* user_context, const char* text) {
    if (!worker_of(user_context))
        previous_print.load()(user_context, text);
}

bool exchange_hooks() noexcept {
    previous_malloc = halide_set_custom_malloc(malloc_hook);
    previous_free = halide_set_custom_free(free_hook);
    previous_error = halide_set_error_handler(error_hook);
    previous_print = halide_set_custom_print(print_hook);
    previous_do_par_for = halide_set_custom_do_par_for(run_parallel_loop);
    return true;
}

} // namespace

std::atomic<halide_do_par_for_t> previous_do_par_for{halide_default_do_par_for};

void install_hooks() noexcept {
    [[maybe_unused]] static const bool installed = exchange_hooks();
}

CurrentWorker::CurrentWorker(Worker& worker) noexcept : outer_(current_worker) {
    current_worker = &worker;
}
CurrentWorker::~CurrentWorker() {
    current_worker = outer_;
}

Worker* worker_of(const void* user_context) noexcept {
    return current_worker && &current_worker->call == user_context ? current_worker : nullptr;
}

void Call::note_error(const char* text) noexcept {
    if (has_error_.test_and_set())
        return;
    std::size_t length = strnlen(text, sizeof error_ - 1);
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == ' '))
        --length;
    std::replace_copy(text, text + length, error_, '\n', ' ');
    error_[length] = '\0';
}

void Call::note_refused_scratch(std::size_t bytes) noexcept {
    std::size_t none = 0;
    refused_scratch_.compare_exchange_strong(none, bytes > 0 ? bytes : 1);
}

} // namespace lamina::detail
