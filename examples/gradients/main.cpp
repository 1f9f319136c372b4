// lamina_gradients: the three gradients of one small layer, as numbers to check by hand.
#include "layer.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <string_view>

namespace {

using Tensor = lamina::Tensor<float>;

void require(const lamina::Status& status) {
    if (status)
        return;
    const std::string_view message = status.message();
    std::fprintf(stderr, "lamina_gradients: %.*s\n", static_cast<int>(message.size()), message.data());
    std::exit(1);
}

void set(Tensor& tensor, std::initializer_list<float> values) {
    std::copy(values.begin(), values.end(), tensor.values().begin());
}

// `tensor` as rows of `columns` numbers.
void print(const char* title, Tensor& tensor, int columns) {
    std::printf("%s\n", title);
    int column = 0;
    for (const float value : tensor.values())
        std::printf("%4g%s", static_cast<double>(value), ++column % columns == 0 ? "\n" : "");
}

} // namespace

int main() {
    Tensor input(layer::forward_input_shape), kernel(layer::forward_pack_kernel_shape),
        bias(layer::forward_bias_shape), output(layer::forward_output_shape),
        output_gradient(layer::forward_output_shape);
    set(input, {1, 2, 0, 3, 1, 1, 0, 2, 4});
    set(kernel, {1, 0, -1, 2});
    set(bias, {1});

    lamina::Context context;
    Tensor packed(layer::forward_packed_kernel_shape);
    require(layer::forward_pack(context, kernel, packed));
    require(layer::forward(context, input, packed, bias, output));
    print("input X", input, 3);
    print("kernel W", kernel, 2);
    print("bias B", bias, 1);
    print("output Z[i,j] = B + sum over a,b of X[i+a,j+b] W[a,b]", output, 2);

    // Of half the squared distance to these values.
    const float wanted[] = {0, 4, 6, 9};
    for (std::size_t i = 0; i < 4; ++i)
        output_gradient.values()[i] = output.values()[i] - wanted[i];
    print("output gradient gZ = Z - (0 4 / 6 9)", output_gradient, 2);

    Tensor kernel_gradient(layer::kernel_gradient_kernel_gradient_shape),
        input_gradient(layer::input_gradient_input_gradient_shape),
        bias_gradient(layer::bias_gradient_bias_gradient_shape),
        packed_for_gradient(layer::input_gradient_packed_kernel_shape);
    require(layer::kernel_gradient(context, input, output_gradient, kernel_gradient));
    require(layer::input_gradient_pack(context, kernel, packed_for_gradient));
    require(layer::input_gradient(context, packed_for_gradient, output_gradient, input_gradient));
    require(layer::bias_gradient(context, output_gradient, bias_gradient));
    print("kernel gradient gW[a,b] = sum over i,j of X[i+a,j+b] gZ[i,j]: the input correlated with gZ",
          kernel_gradient, 2);
    print("input gradient gX[i+a,j+b] = sum of gZ[i,j] W[a,b]: the transposed convolution of gZ with W",
          input_gradient, 3);
    print("bias gradient gB = sum over i,j of gZ[i,j]", bias_gradient, 1);
    return 0;
}
