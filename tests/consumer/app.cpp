// Packs, calls, and compares every number with the formula. Prints what is wrong.
#include "choices.h"
#include "filters.h"
#include "stack.h"
#include "stack.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>

namespace {

bool has_failed = false;

void require(bool holds, const char* promise) {
    if (holds)
        return;
    has_failed = true;
    std::printf("broken: %s\n", promise);
}

using Tensor = lamina::Tensor<float>;

// Small integers, so that every sum is exact.
Tensor numbers(const lamina::Extents& shape, int seed) {
    Tensor tensor(shape);
    for (float& value : tensor.values()) {
        seed = (seed * 37 + 11) % 101;
        value = static_cast<float>(seed % 9 - 4);
    }
    return tensor;
}

constexpr int height = 6, width = 8, channels = 3;

float mean(const Tensor& input, int n, int i, int j, int c) {
    return (input.at(n, i, j, c) + input.at(n, i, j + 1, c) + input.at(n, i + 1, j, c) +
            input.at(n, i + 1, j + 1, c)) /
           4;
}

void blurs(int batch) {
    const Tensor input = numbers(filters::blur_input_shape(batch), 1);
    Tensor output(filters::blur_output_shape(batch));
    lamina::Context context;
    require(static_cast<bool>(filters::blur(context, input, output)), "blur runs");
    bool is_right = output.shape() == lamina::Extents{batch, height - 1, width - 1, channels};
    for (int n = 0; n < batch; ++n)
        for (int i = 0; is_right && i < height - 1; ++i)
            for (int j = 0; j < width - 1; ++j)
                for (int c = 0; c < channels; ++c)
                    is_right = is_right && output.at(n, i, j, c) == mean(input, n, i, j, c);
    require(is_right, "blur is the mean of 2x2");
}

void has_variants() {
    const Tensor input = numbers(choices::blur_input_shape(2), 9);
    Tensor expected(choices::blur_output_shape(2));
    lamina::Context context;
    require(static_cast<bool>(filters::blur(context, input, expected)), "blur runs for its variants");
    std::string names;
    for (const choices::blur_variant& variant : choices::blur_variants) {
        names += std::string(variant.name) + " (" + variant.schedule + ") ";
        Tensor output(choices::blur_output_shape(2));
        require(static_cast<bool>(variant.call(context, input, output)), "a variant runs");
        require(std::ranges::equal(output.values(), expected.values()), "a variant gives the same");
        require(variant.scratch_size(1) <= 1 << 20, "a variant tells its scratch");
    }
    require(names == "blur (by_rows,rows:5) single (by_rows) stock (generic) ",
            "the table has the kernel and its variants, by name and schedule");
}

// W is flipped in both axes.
float convolved(const Tensor& input, const Tensor& kernel, const Tensor& bias, int n, int i, int j, int d) {
    float sum = bias.at(d);
    for (int a = 0; a < 3; ++a)
        for (int b = 0; b < 3; ++b)
            for (int c = 0; c < channels; ++c) {
                const int row = i + a - 1, column = j + b - 1;
                if (row >= 0 && row < height && column >= 0 && column < width)
                    sum += input.at(n, row, column, c) * kernel.at(2 - a, 2 - b, c, d);
            }
    return std::max(sum, 0.0F);
}

void convolves(int batch) {
    const Tensor input = numbers(filters::edge_input_shape(batch), 2),
                 kernel = numbers(filters::edge_pack_kernel_shape, 3),
                 bias = numbers(filters::edge_bias_shape, 4);
    Tensor packed(filters::edge_packed_kernel_shape), output(filters::edge_output_shape(batch));
    lamina::Context context(lamina::ContextOptions{.threads = 2});
    require(static_cast<bool>(filters::edge_pack(context, kernel, packed)), "the kernel is packed");
    require(static_cast<bool>(filters::edge(context, input, packed, bias, output)), "edge runs");
    bool is_right = true;
    for (int n = 0; n < batch; ++n)
        for (int i = 0; i < height; ++i)
            for (int j = 0; j < width; ++j)
                for (int d = 0; d < 5; ++d)
                    is_right =
                        is_right && output.at(n, i, j, d) == convolved(input, kernel, bias, n, i, j, d);
    require(is_right, "edge is the true convolution");
}

float mixed_with_relu(const Tensor& input, const Tensor& kernel, const Tensor& bias, int i, int j, int d) {
    float sum = bias.at(d);
    for (int c = 0; c < channels; ++c)
        sum += input.at(0, i, j, c) * kernel.at(0, 0, c, d);
    return std::max(sum, 0.0F);
}

void runs_a_network() {
    const Tensor input = numbers(stack::mix_input_shape, 5),
                 kernel = numbers(stack::mix_pack_kernel_shape, 6), bias = numbers(stack::mix_bias_shape, 7);
    Tensor packed(stack::mix_packed_kernel_shape), mixed(stack::mix_output_shape),
        output(stack::shrink_output_shape);
    lamina::Context context;
    require(stack::mix_pack(context, kernel, packed) && stack::mix(context, input, packed, bias, mixed) &&
                stack::shrink(context, mixed, output),
            "the network runs");
    require(output.shape() == lamina::Extents(small_stack.output()),
            "the network's output has the shape of the description");
    Tensor weights({stack::weight_count}), packed_weights({stack::packed_weight_count}),
        whole(stack::shrink_output_shape);
    lamina::Tensor<std::byte> arena({stack::infer_arena_size});
    std::ranges::copy(kernel.values(),
                      weights.values().begin() + std::ptrdiff_t(stack::parameters[0].offset));
    std::ranges::copy(bias.values(), weights.values().begin() + std::ptrdiff_t(stack::parameters[1].offset));
    require(stack::pack(context, weights.values(), packed_weights.values()) &&
                stack::infer(context, input, packed_weights.values(), arena.values(), whole),
            "the network infers");
    require(std::ranges::equal(whole.values(), output.values()), "infer gives what the layers give");
    bool is_right = true;
    for (int i = 0; i < height / 2; ++i)
        for (int j = 0; j < width / 2; ++j)
            for (int d = 0; d < 4; ++d) {
                float largest = 0; // of what a relu gave
                for (const int row : {2 * i, 2 * i + 1})
                    for (const int column : {2 * j, 2 * j + 1}) {
                        const float value = mixed_with_relu(input, kernel, bias, row, column, d);
                        is_right = is_right && mixed.at(0, row, column, d) == value;
                        largest = std::max(largest, value);
                    }
                is_right = is_right && output.at(0, i, j, d) == largest;
            }
    require(is_right, "the network's numbers are right");
}

void refuses_a_wrong_shape() {
    const Tensor input = numbers({2, height, width + 1, channels}, 8);
    Tensor output(filters::blur_output_shape(2));
    std::fill(output.values().begin(), output.values().end(), 7.0F);
    lamina::Context context;
    const lamina::Status status = filters::blur(context, input, output);
    require(status.code() == LAMINA_BAD_SHAPE, "a wrong shape is refused");
    require(status.message() == "average_pool in=?x6x8x3 kernel_size=2x2: operand 'input': bad shape: "
                                "expected ?x6x8x3, got 2x6x9x3",
            "and the reason is told");
    require(std::count(output.values().begin(), output.values().end(), 7.0F) == output.size(),
            "nothing is written then");
}

} // namespace

int main() {
    for (const int batch : {1, 3}) {
        blurs(batch);
        convolves(batch);
    }
    has_variants();
    runs_a_network();
    refuses_a_wrong_shape();
    return has_failed ? 1 : 0;
}
