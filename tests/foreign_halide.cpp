#include "foreign_halide.hpp"

#include <HalideRuntime.h>

namespace lamina::test {

namespace {

bool install() {
    halide_set_custom_malloc([](void* context, std::size_t bytes) {
        ++foreign_hooks().mallocs;
        return halide_default_malloc(context, bytes);
    });
    halide_set_custom_free([](void* context, void* block) {
        ++foreign_hooks().frees;
        halide_default_free(context, block);
    });
    halide_set_error_handler([](void*, const char* text) {
        ++foreign_hooks().errors;
        foreign_hooks().last_error = text;
    });
    halide_set_custom_print([](void*, const char*) { ++foreign_hooks().prints; });
    halide_set_custom_do_par_for([](void* context, halide_task_t task, int min, int size, uint8_t* closure) {
        ++foreign_hooks().loops;
        return halide_default_do_par_for(context, task, min, size, closure);
    });
    return true;
}

const bool installed = install();

} // namespace

ForeignHooks& foreign_hooks() {
    static ForeignHooks hooks;
    return hooks;
}

} // namespace lamina::test
