// Every refusal of a call: its code, its message, and that no output was written.
#include "fake_kernels.hpp"

#include <catch2/catch.hpp>

using namespace lamina;
using namespace lamina::test;

namespace {

bool was_run = false;

int run_add_bias(void** arguments) {
    was_run = true;
    return add_bias(arguments);
}

struct Outcome {
    lamina_code code;
    std::string message;
};

Outcome call_with(const FakeKernel& fake, const std::vector<lamina_view>& views) {
    const lamina_kernel kernel = fake.kernel(run_add_bias);
    Context context;
    was_run = false;
    const lamina_code code =
        lamina_call(&kernel, context.get(), views.data(), static_cast<std::int32_t>(views.size()));
    CHECK(context.status().code() == code);
    CHECK(lamina_call(&kernel, nullptr, views.data(), static_cast<std::int32_t>(views.size())) == code);
    CHECK(was_run == (code == LAMINA_OK));
    return {code, std::string(context.status().message())};
}

void check_refused(const std::vector<lamina_view>& views, lamina_code code, const std::string& message) {
    const Outcome outcome = call_with(FakeKernel(), views);
    CHECK(outcome.code == code);
    CHECK(outcome.message == "fake in=1x2x3x4: " + message);
}

// The operands with one view changed.
struct Changed {
    FakeOperands operands;
    std::vector<lamina_view> views = operands.views();

    void is_refused(lamina_code code, const std::string& message) const {
        check_refused(views, code, message);
        CHECK(operands.is_output_untouched());
    }
};

} // namespace

TEST_CASE("a call with fitting operands runs the kernel", "[runtime]") {
    FakeOperands operands;
    operands.input.at(0, 1, 2, 3) = 5;
    operands.bias.at(3) = 2;
    const Outcome outcome = call_with(FakeKernel(), operands.views());
    CHECK(outcome.code == LAMINA_OK);
    CHECK(outcome.message.empty());
    CHECK(operands.output.at(0, 1, 2, 3) == 7);
    CHECK(operands.output.at(0, 1, 2, 2) == 0);
}

TEST_CASE("a wrong number of operands is refused", "[runtime]") {
    Changed fewer, more;
    fewer.views.pop_back();
    fewer.is_refused(LAMINA_BAD_SHAPE, "bad shape: expected 3 operands, got 2");
    more.views.push_back(more.views[0]);
    more.is_refused(LAMINA_BAD_SHAPE, "bad shape: expected 3 operands, got 4");
}

TEST_CASE("missing kernels, operands and data are refused", "[runtime]") {
    Context context;
    const FakeOperands operands;
    CHECK(lamina_call(nullptr, context.get(), operands.views().data(), 3) == LAMINA_NULL_POINTER);
    CHECK(context.status().message() == "kernel: null pointer: the kernel is null");
    const FakeKernel fake;
    const lamina_kernel kernel = fake.kernel(nullptr);
    CHECK(lamina_call(&kernel, context.get(), operands.views().data(), 3) == LAMINA_KERNEL_ERROR);
    CHECK(context.status().message() ==
          "fake in=1x2x3x4: kernel error: the kernel's description is malformed");
    const lamina_kernel good = fake.kernel(run_add_bias);
    CHECK(lamina_call(&good, context.get(), nullptr, 3) == LAMINA_NULL_POINTER);
    Changed changed;
    changed.views[1].data = nullptr;
    changed.is_refused(LAMINA_NULL_POINTER, "operand 'bias': null pointer: data is null");
}

TEST_CASE("a wrong element type is refused", "[runtime]") {
    Changed changed;
    changed.views[0].type = LAMINA_I32;
    changed.is_refused(LAMINA_BAD_TYPE, "operand 'input': bad type: expected f32, got i32");
    changed.views[0].type = static_cast<lamina_type>(2);
    changed.is_refused(LAMINA_BAD_TYPE, "operand 'input': bad type: expected f32, got an unknown type");
}

TEST_CASE("a wrong rank or shape is refused with both", "[runtime]") {
    Changed bias, rank, beyond, extent;
    bias.views[1].shape[0] = 5;
    bias.is_refused(LAMINA_BAD_SHAPE, "operand 'bias': bad shape: expected 4, got 5");
    rank.views[0] = View<float>(rank.operands.input.data(), {2, 3, 4});
    rank.is_refused(LAMINA_BAD_SHAPE, "operand 'input': bad shape: expected 1x2x3x4, got 2x3x4");
    beyond.views[0] = View<float>(beyond.operands.input.data(), {1, 1, 2, 3, 4});
    beyond.is_refused(LAMINA_BAD_SHAPE, "operand 'input': bad shape: expected 1x2x3x4, got rank 5");
    extent.views[2].shape[3] = -4;
    extent.is_refused(LAMINA_BAD_SHAPE, "operand 'output': bad shape: expected 1x2x3x4, got 1x2x3x-4");
}

TEST_CASE("strides must be dense but where an extent is 1", "[runtime]") {
    Changed changed;
    changed.views[0].stride[0] = 12345;
    CHECK(call_with(FakeKernel(), changed.views).code == LAMINA_OK);
    Changed rows;
    rows.views[0].stride[1] = 16;
    rows.is_refused(LAMINA_BAD_STRIDE,
                    "operand 'input': bad stride: expected stride 12 in dimension 1 of 1x2x3x4, got 16");
}

TEST_CASE("data must be aligned to their elements", "[runtime]") {
    Changed changed;
    changed.views[0].data = static_cast<char*>(changed.views[0].data) + 2;
    changed.is_refused(LAMINA_MISALIGNED, "operand 'input': misaligned: data must be aligned to 4 bytes");
}

TEST_CASE("an output may not share a byte with another operand", "[runtime]") {
    std::vector<float> memory(100, guard);
    const auto at = [&](int offset, const Extents& shape) -> lamina_view {
        return View<float>(memory.data() + offset, shape);
    };
    const Extents map{1, 2, 3, 4};
    const auto check = [&](int input, int bias, int output, const char* message) {
        const std::vector<lamina_view> views = {at(input, map), at(bias, {4}), at(output, map)};
        if (message) {
            check_refused(views, LAMINA_OVERLAP, message);
            CHECK(memory == std::vector<float>(100, guard));
        } else {
            CHECK(call_with(FakeKernel(), views).code == LAMINA_OK);
            memory.assign(100, guard);
        }
    };
    const char* const with_input = "operand 'output': overlap: shares bytes with operand 'input'";
    const char* const with_bias = "operand 'output': overlap: shares bytes with operand 'bias'";
    check(0, 90, 0, with_input);
    check(0, 90, 23, with_input);
    check(23, 90, 0, with_input);
    check(0, 90, 24, nullptr);
    check(24, 90, 0, nullptr);
    check(0, 47, 24, with_bias);
    check(0, 48, 24, nullptr);
    check(0, 10, 24, nullptr); // inputs may share
}

TEST_CASE("an output may be the whole memory of the input that it may replace, and no other", "[runtime]") {
    FakeKernel fake;
    fake.operands[2].in_place_of = 1;
    std::vector<float> memory(100, guard);
    const auto at = [&](int offset, const Extents& shape) -> lamina_view {
        return View<float>(memory.data() + offset, shape);
    };
    const Extents map{1, 2, 3, 4};
    const std::vector<lamina_view> in_place = {at(30, map), at(0, {4}), at(30, map)};
    CHECK(call_with(fake, in_place).code == LAMINA_OK);
    CHECK(memory[30] == 3 * guard); // of the two calls of call_with
    memory.assign(100, guard);
    for (const int shift : {-23, -1, 1, 23}) {
        const Outcome shifted = call_with(fake, {at(30, map), at(0, {4}), at(30 + shift, map)});
        CHECK(shifted.code == LAMINA_OVERLAP);
        CHECK(shifted.message ==
              "fake in=1x2x3x4: operand 'output': overlap: shares bytes with operand 'input'");
    }
    const Outcome three = call_with(fake, {at(30, map), at(30, {4}), at(30, map)});
    CHECK(three.message == "fake in=1x2x3x4: operand 'output': overlap: shares bytes with operand 'bias'");
    fake.operands[2].in_place_of = 2;
    CHECK(call_with(fake, in_place).code == LAMINA_OVERLAP);
    CHECK(memory == std::vector<float>(100, guard));
}

TEST_CASE("the memory that an output may take must be of its size", "[runtime]") {
    FakeKernel fake;
    fake.operands[2].in_place_of = 2;
    FakeOperands operands;
    std::vector<lamina_view> views = operands.views();
    views[1].data = operands.output.data();
    CHECK(call_with(fake, views).code == LAMINA_OVERLAP);
    CHECK(operands.is_output_untouched());
}

TEST_CASE("two outputs may not overlap", "[runtime]") {
    FakeKernel fake;
    fake.operands[1].is_output = 1;
    FakeOperands operands;
    std::vector<lamina_view> views = operands.views();
    views[1].data = operands.output.data() + 20;
    const Outcome outcome = call_with(fake, views);
    CHECK(outcome.code == LAMINA_OVERLAP);
    CHECK(outcome.message == "fake in=1x2x3x4: operand 'bias': overlap: shares bytes with operand 'output'");
    CHECK(operands.is_output_untouched());
}

TEST_CASE("an open batch is any, but the same in all operands", "[runtime]") {
    FakeKernel fake;
    fake.operands[0].shape[0] = fake.operands[2].shape[0] = 0;
    Tensor<float> input({3, 2, 3, 4}), bias({4}), output({3, 2, 3, 4});
    bias.at(1) = 8;
    CHECK(call_with(fake, {input, bias, output}).code == LAMINA_OK);
    CHECK(output.at(2, 1, 2, 1) == 8);

    Outcome outcome = call_with(fake, {input, bias, View<float>(output.data(), {2, 2, 3, 4})});
    CHECK(outcome.code == LAMINA_BAD_SHAPE);
    CHECK(outcome.message ==
          "fake in=1x2x3x4: operand 'output': bad shape: expected the batch of operand 'input', 3, got 2");
    outcome = call_with(fake, {View<float>(input.data(), {0, 2, 3, 4}), bias, output});
    CHECK(outcome.message == "fake in=1x2x3x4: operand 'input': bad shape: expected ?x2x3x4, got 0x2x3x4");
    outcome = call_with(fake, {View<float>(input.data(), {89478486, 2, 3, 4}), bias, output});
    CHECK(outcome.code == LAMINA_BAD_SHAPE);
    CHECK(outcome.message == "fake in=1x2x3x4: operand 'input': bad shape: 89478486x2x3x4 has more than "
                             "2147483647 elements");
}

TEST_CASE("Halide sees dimensions from the contiguous one on, with dense strides", "[runtime]") {
    FakeOperands operands;
    std::vector<lamina_view> views = operands.views();
    views[0].stride[0] = -3;
    const FakeKernel fake;
    const lamina_kernel looks = fake.kernel([](void** arguments) {
        const halide_buffer_t& in = buffer(arguments, 0);
        const bool is_right =
            in.dimensions == 4 && in.dim[0] == halide_dimension_t(0, 4, 1) &&
            in.dim[1] == halide_dimension_t(0, 3, 4) && in.dim[2] == halide_dimension_t(0, 2, 12) &&
            in.dim[3] == halide_dimension_t(0, 1, 24) && in.type == halide_type_t(halide_type_float, 32) &&
            in.flags == 0 && in.device == 0;
        return is_right ? 0 : 1;
    });
    CHECK(lamina_call(&looks, nullptr, views.data(), 3) == LAMINA_OK);
}

TEST_CASE("a CPU without the kernel's instruction sets is refused", "[runtime]") {
    const auto previous = halide_set_custom_can_use_target_features(
        [](int count, const std::uint64_t* features) { return count == 2 && features[1] == 0 ? 1 : 0; });
    const FakeKernel fake;
    FakeOperands operands;
    Context context;
    lamina_kernel kernel = fake.kernel(run_add_bias);
    kernel.cpu_features[0] = 1;
    CHECK(call(kernel, context, operands.input, operands.bias, operands.output));
    kernel.cpu_features[1] = 1;
    operands = FakeOperands();
    const Status status = call(kernel, context, operands.input, operands.bias, operands.output);
    CHECK(status.code() == LAMINA_UNSUPPORTED_CPU);
    CHECK(status.message() == "fake in=1x2x3x4: unsupported CPU: this CPU has none of the instruction sets "
                              "that the kernel was built for");
    CHECK(operands.is_output_untouched());
    halide_set_custom_can_use_target_features(previous);
}

TEST_CASE("thread counts out of range are refused", "[runtime]") {
    const FakeKernel fake;
    const lamina_kernel kernel = fake.kernel(run_add_bias);
    FakeOperands operands;
    for (int threads : {-1, 1025}) {
        Context context(ContextOptions{.threads = threads});
        const Status status = call(kernel, context, operands.input, operands.bias, operands.output);
        CHECK(status.code() == LAMINA_BAD_CONTEXT);
        CHECK(status.message() ==
              "fake in=1x2x3x4: bad context: expected 0 to 1024 threads, got " + std::to_string(threads));
    }
    CHECK(operands.is_output_untouched());
}

TEST_CASE("every code has a name of its own", "[runtime]") {
    CHECK(lamina_code_name(LAMINA_BAD_SHAPE) == std::string("bad shape"));
    CHECK(lamina_code_name(LAMINA_BAD_FILE) == std::string("bad file"));
    CHECK(lamina_code_name(static_cast<lamina_code>(LAMINA_BAD_FILE + 1)) == std::string("unknown code"));
}
