// Lamina among other Halide code in the process, and what a call leaves alone.
#include "fake_kernels.hpp"
#include "foreign_halide.hpp"

#include <catch2/catch.hpp>
#include <cstdio>
#include <unistd.h>

using namespace lamina;
using namespace lamina::test;

namespace {

// What another library calls its user context: following the pointer would fault.
void* const foreign_context = reinterpret_cast<void*>(std::uintptr_t{16});

// Another library's Halide code, run while a Lamina kernel runs on the same thread.
int run_foreign_code(void** arguments) {
    for (void* context : {foreign_context, static_cast<void*>(nullptr)}) {
        void* const block = halide_malloc(context, 1 << 20);
        halide_error(context, "foreign");
        halide_print(context, "foreign");
        halide_free(context, block);
        if (!block || parallel_for(context, 0, 4, [](int) { return 0; }) != 0)
            return -1;
    }
    return add_bias(arguments);
}

int print_much(void** arguments) {
    void* const context = user_context(arguments);
    halide_print(context, "a kernel that traces\n");
    halide_error(context, "first\n");
    halide_error(context, "second\n");
    return -1;
}

// Everything that is written to a file descriptor while it lives.
class Capture {
public:
    explicit Capture(int descriptor)
        : descriptor_(descriptor), saved_(dup(descriptor)), file_(std::tmpfile()) {
        dup2(fileno(file_), descriptor_);
    }
    ~Capture() {
        dup2(saved_, descriptor_);
        close(saved_);
        std::fclose(file_);
    }
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;

    long size() const { return static_cast<long>(lseek(fileno(file_), 0, SEEK_END)); }

private:
    int descriptor_, saved_;
    std::FILE* file_;
};

} // namespace

TEST_CASE("other Halide code keeps its own hooks", "[runtime]") {
    const FakeKernel fake;
    FakeOperands operands;
    Context context(ContextOptions{.threads = 2});
    ForeignHooks& hooks = foreign_hooks();
    const int mallocs = hooks.mallocs, frees = hooks.frees, errors = hooks.errors, prints = hooks.prints,
              loops = hooks.loops;
    CHECK(call(fake.kernel(run_foreign_code), context, operands.input, operands.bias, operands.output));
    CHECK(hooks.mallocs == mallocs + 2);
    CHECK(hooks.frees == frees + 2);
    CHECK(hooks.errors == errors + 2);
    CHECK(hooks.prints == prints + 2);
    CHECK(hooks.loops == loops + 2);
    CHECK(hooks.last_error == "foreign");
    halide_error(foreign_context, "outside of any call");
    CHECK(hooks.last_error == "outside of any call");
}

TEST_CASE("a kernel may call a kernel", "[runtime]") {
    FakeOperands operands;
    const FakeKernel fake;
    const lamina_kernel outer = fake.kernel([](void** arguments) {
        const FakeKernel inner_fake;
        FakeOperands inner;
        const lamina_kernel failing = inner_fake.kernel(print_much);
        if (lamina_call(&failing, nullptr, inner.views().data(), 3) != LAMINA_KERNEL_ERROR)
            return 0;
        halide_error(user_context(arguments), "outer");
        return -1;
    });
    Context context;
    const Status status = call(outer, context, operands.input, operands.bias, operands.output);
    CHECK(status.message() == "fake in=1x2x3x4: kernel error: outer");
}

TEST_CASE("calls print nothing", "[runtime]") {
    const FakeKernel fake;
    FakeOperands operands;
    Context context;
    std::fflush(stdout);
    long printed = 0;
    {
        const Capture out(1), err(2);
        const Status failed =
            call(fake.kernel(print_much), context, operands.input, operands.bias, operands.output);
        const Status refused = call(fake.kernel(add_bias), context, operands.input);
        std::fflush(stdout);
        printed = out.size() + err.size() + (failed || refused ? 1 : 0);
    }
    CHECK(printed == 0);
}

TEST_CASE("a long error text is cut off", "[runtime]") {
    const FakeKernel fake;
    FakeOperands operands;
    Context context;
    const lamina_kernel kernel = fake.kernel([](void** arguments) {
        halide_error(user_context(arguments), std::string(5000, 'x').c_str());
        return -1;
    });
    const Status status = call(kernel, context, operands.input, operands.bias, operands.output);
    CHECK(status.message().size() == std::string("fake in=1x2x3x4: kernel error: ").size() + 511);
}
