// The table of operators. Keys, generators, references, tests, benchmarks and the documentation's tables ask
// it.
#pragma once

#include "lamina/problem.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace lamina {

struct OperatorFacts {
    Operator op;
    std::string_view name;
    std::string_view meaning;
    std::string_view formula; // X input, W kernel, V depthwise kernel, Z output; i, j rows and columns, c, d
                              // channels; s stride, l dilation, p padding; gX, gW, gZ, ... the loss's
                              // gradients, gS that of the sums before the epilogue, n images; T target, W, G,
                              // V, M weights, their gradient and its moments, as they are before, and with '
                              // after a step
    bool has_kernel;          // sums products with trained weights, and so has an epilogue
    bool has_window;          // looks at kernel_size positions of the input
    Operator forward = op;    // of a gradient, the operator that it belongs to and whose keys it has
    Gradient gradient = Gradient::none;
};

inline constexpr OperatorFacts operator_table[] = {
    {Operator::cross_correlation, "cross_correlation", "cross-correlation, what frameworks call convolution",
     "Z[i,j,d] = sum_{a,b,c} X[i*s+a*l-p, j*s+b*l-p, c] * W[a,b,c,d]", true, true},
    {Operator::convolution, "convolution", "true convolution: the kernel is flipped in both axes",
     "Z[i,j,d] = sum_{a,b,c} X[i*s+a*l-p, j*s+b*l-p, c] * W[V-1-a,U-1-b,c,d]", true, true},
    {Operator::transposed_convolution, "transposed_convolution",
     "the adjoint of cross_correlation in its input",
     "Z[i*s+a*l-p, j*s+b*l-p, d] = sum over all such i,j,a,b,c of X[i,j,c] * W[a,b,c,d]", true, true},
    {Operator::separable_convolution, "separable_convolution",
     "depthwise cross-correlation, its epilogue, and the 1x1 cross-correlation of what they give",
     "Z[i,j,d] = sum_c Y[i,j,c] * W[c,d], Y[i,j,c] = epilogue(sum_{a,b} X[i*s+a*l-p, j*s+b*l-p, c] * "
     "V[a,b,c])",
     true, true},
    {Operator::pooled_cross_correlation, "pooled_cross_correlation",
     "cross-correlation, its epilogue, and the largest value of each pool window of what they give",
     "Z[i,j,d] = max_{a,b} Y[i*t+a-q, j*t+b-q, d], Y = cross_correlation's Z; t pool_stride, q pool_padding",
     true, true},
    {Operator::max_pool, "max_pool", "largest value of each window; the first one wins",
     "Z[i,j,c] = max_{a,b} X[i*s+a*l-p, j*s+b*l-p, c]", false, true},
    {Operator::average_pool, "average_pool", "mean of each window",
     "Z[i,j,c] = sum_{a,b} X[i*s+a-p, j*s+b-p, c] / (number of positions counted)", false, true},
    {Operator::lp_pool, "lp_pool", "p-norm of each window",
     "Z[i,j,c] = (sum_{a,b} |X[i*s+a-p, j*s+b-p, c]|^power)^(1/power)", false, true},
    {Operator::global_max_pool, "global_max_pool", "largest value of each channel",
     "Z[0,0,c] = max_{i,j} X[i,j,c]", false, false},
    {Operator::global_average_pool, "global_average_pool", "mean of each channel",
     "Z[0,0,c] = sum_{i,j} X[i,j,c] / (height * width)", false, false},
    {Operator::max_unpool, "max_unpool",
     "puts each pooled value back where max_pool found it, zeros elsewhere",
     "Z[indices[i,j,c] / width, indices[i,j,c] % width, c] = X[i,j,c]", false, true},
    {Operator::dense, "dense", "matrix product with every value of the input, in its memory order",
     "Z[0,0,d] = sum_f X[f] * W[f,d]", true, false},
    {Operator::softmax, "softmax", "normalised exponentials over the channels",
     "Z[i,j,c] = exp(X[i,j,c]-m) / sum_k exp(X[i,j,k]-m), m = max_k X[i,j,k]", false, false},
    {Operator::add, "add", "sum of two maps of the same shape", "Z[i,j,c] = X[i,j,c] + R[i,j,c]", false,
     false},
    {Operator::softmax_cross_entropy, "softmax_cross_entropy",
     "loss of each position: minus the logarithm of the softmax of its label's channel",
     "Z[i,j] = log(sum_k exp(X[i,j,k]-m)) - (X[i,j,labels[i,j]]-m), m = max_k X[i,j,k]", false, false},
    {Operator::mean_squared_error, "mean_squared_error",
     "loss of each position: mean over the channels of the squared distance from the target",
     "Z[i,j] = sum_c (X[i,j,c] - T[i,j,c])^2 / channels", false, false},
    {Operator::sgd, "sgd", "step of stochastic gradient descent with momentum and weight decay",
     "V' = momentum*V + (G + weight_decay*W), W' = W - learning_rate*V'", false, false},
    {Operator::adam, "adam", "step of Adam, weight decay added to the gradient",
     "H = G + weight_decay*W, M' = beta1*M + (1-beta1)*H, V' = beta2*V + (1-beta2)*H^2, "
     "W' = W - step_size * M' / (sqrt(V'*correction) + epsilon)",
     false, false},
    {Operator::cross_correlation_input_gradient, "cross_correlation_input_gradient",
     "gradient of cross_correlation's input",
     "gX[i*s+a*l-p, j*s+b*l-p, c] = sum over all such i,j,a,b,d of gS[i,j,d] * W[a,b,c,d]", true, true,
     Operator::cross_correlation, Gradient::input},
    {Operator::cross_correlation_kernel_gradient, "cross_correlation_kernel_gradient",
     "gradient of cross_correlation's kernel",
     "gW[a,b,c,d] = sum_{n,i,j} X[i*s+a*l-p, j*s+b*l-p, c] * gS[i,j,d]", true, true,
     Operator::cross_correlation, Gradient::kernel},
    {Operator::cross_correlation_bias_gradient, "cross_correlation_bias_gradient",
     "gradient of cross_correlation's bias", "gB[d] = sum_{n,i,j} gS[i,j,d]", true, true,
     Operator::cross_correlation, Gradient::bias},
    {Operator::cross_correlation_residual_gradient, "cross_correlation_residual_gradient",
     "gradient of what cross_correlation's epilogue adds",
     "gR[i,j,d] = gZ[i,j,d] * activation'(its argument)", true, true, Operator::cross_correlation,
     Gradient::residual},
    {Operator::convolution_input_gradient, "convolution_input_gradient", "gradient of convolution's input",
     "gX[i*s+a*l-p, j*s+b*l-p, c] = sum over all such i,j,a,b,d of gS[i,j,d] * W[V-1-a,U-1-b,c,d]", true,
     true, Operator::convolution, Gradient::input},
    {Operator::convolution_kernel_gradient, "convolution_kernel_gradient", "gradient of convolution's kernel",
     "gW[V-1-a,U-1-b,c,d] = sum_{n,i,j} X[i*s+a*l-p, j*s+b*l-p, c] * gS[i,j,d]", true, true,
     Operator::convolution, Gradient::kernel},
    {Operator::convolution_bias_gradient, "convolution_bias_gradient", "gradient of convolution's bias",
     "gB[d] = sum_{n,i,j} gS[i,j,d]", true, true, Operator::convolution, Gradient::bias},
    {Operator::convolution_residual_gradient, "convolution_residual_gradient",
     "gradient of what convolution's epilogue adds", "gR[i,j,d] = gZ[i,j,d] * activation'(its argument)",
     true, true, Operator::convolution, Gradient::residual},
    {Operator::transposed_convolution_input_gradient, "transposed_convolution_input_gradient",
     "gradient of transposed_convolution's input",
     "gX[i,j,c] = sum_{a,b,d} gS[i*s+a*l-p, j*s+b*l-p, d] * W[a,b,c,d]", true, true,
     Operator::transposed_convolution, Gradient::input},
    {Operator::transposed_convolution_kernel_gradient, "transposed_convolution_kernel_gradient",
     "gradient of transposed_convolution's kernel",
     "gW[a,b,c,d] = sum_{n,i,j} X[i,j,c] * gS[i*s+a*l-p, j*s+b*l-p, d]", true, true,
     Operator::transposed_convolution, Gradient::kernel},
    {Operator::transposed_convolution_bias_gradient, "transposed_convolution_bias_gradient",
     "gradient of transposed_convolution's bias", "gB[d] = sum_{n,i,j} gS[i,j,d]", true, true,
     Operator::transposed_convolution, Gradient::bias},
    {Operator::transposed_convolution_residual_gradient, "transposed_convolution_residual_gradient",
     "gradient of what transposed_convolution's epilogue adds",
     "gR[i,j,d] = gZ[i,j,d] * activation'(its argument)", true, true, Operator::transposed_convolution,
     Gradient::residual},
    {Operator::max_pool_input_gradient, "max_pool_input_gradient",
     "gradient of max_pool's input, at the maxima that the indices name",
     "gX[y,x,c] = sum over the windows i,j with indices[i,j,c] = y * width + x of gZ[i,j,c]", false, true,
     Operator::max_pool, Gradient::input},
    {Operator::average_pool_input_gradient, "average_pool_input_gradient", "gradient of average_pool's input",
     "gX[i*s+a-p, j*s+b-p, c] = sum over all such i,j,a,b of gZ[i,j,c] / (number of positions counted)",
     false, true, Operator::average_pool, Gradient::input},
    {Operator::lp_pool_input_gradient, "lp_pool_input_gradient",
     "gradient of lp_pool's input; 0 where the input or the norm is 0",
     "gX[y,x,c] = sign(X) * |X|^(power-1) * sum over the windows i,j of y,x of gZ[i,j,c] * "
     "Z[i,j,c]^(1-power)",
     false, true, Operator::lp_pool, Gradient::input},
    {Operator::global_max_pool_input_gradient, "global_max_pool_input_gradient",
     "gradient of global_max_pool's input, at the maxima that the indices name",
     "gX[y,x,c] = gZ[0,0,c] where indices[0,0,c] = y * width + x, else 0", false, false,
     Operator::global_max_pool, Gradient::input},
    {Operator::global_average_pool_input_gradient, "global_average_pool_input_gradient",
     "gradient of global_average_pool's input", "gX[i,j,c] = gZ[0,0,c] / (height * width)", false, false,
     Operator::global_average_pool, Gradient::input},
    {Operator::max_unpool_input_gradient, "max_unpool_input_gradient", "gradient of max_unpool's input",
     "gX[i,j,c] = gZ[indices[i,j,c] / width, indices[i,j,c] % width, c]", false, true, Operator::max_unpool,
     Gradient::input},
    {Operator::dense_input_gradient, "dense_input_gradient", "gradient of dense's input",
     "gX[f] = sum_d gS[d] * W[f,d]", true, false, Operator::dense, Gradient::input},
    {Operator::dense_kernel_gradient, "dense_kernel_gradient", "gradient of dense's kernel",
     "gW[f,d] = sum_n X[f] * gS[d]", true, false, Operator::dense, Gradient::kernel},
    {Operator::dense_bias_gradient, "dense_bias_gradient", "gradient of dense's bias", "gB[d] = sum_n gS[d]",
     true, false, Operator::dense, Gradient::bias},
    {Operator::dense_residual_gradient, "dense_residual_gradient", "gradient of what dense's epilogue adds",
     "gR[d] = gZ[d] * activation'(its argument)", true, false, Operator::dense, Gradient::residual},
    {Operator::softmax_input_gradient, "softmax_input_gradient", "gradient of softmax's input",
     "gX[i,j,c] = Z[i,j,c] * (gZ[i,j,c] - sum_k gZ[i,j,k] * Z[i,j,k])", false, false, Operator::softmax,
     Gradient::input},
    {Operator::softmax_cross_entropy_input_gradient, "softmax_cross_entropy_input_gradient",
     "gradient of softmax_cross_entropy's input",
     "gX[i,j,c] = (softmax(X)[i,j,c] - (1 where c = labels[i,j], else 0)) * gZ[i,j]", false, false,
     Operator::softmax_cross_entropy, Gradient::input},
    {Operator::mean_squared_error_input_gradient, "mean_squared_error_input_gradient",
     "gradient of mean_squared_error's input", "gX[i,j,c] = 2/channels * (X[i,j,c] - T[i,j,c]) * gZ[i,j]",
     false, false, Operator::mean_squared_error, Gradient::input},
};

constexpr const OperatorFacts& facts(Operator op) {
    return operator_table[static_cast<std::size_t>(op)];
}

// The operator whose gradient `op` is; `op` itself where it is none.
constexpr Operator forward_of(Operator op) {
    return facts(op).forward;
}
constexpr bool is_gradient(Operator op) {
    return facts(op).gradient != Gradient::none;
}

// Of the operators that take a step of training: they update rows of values, whatever map these belong to.
constexpr bool is_update(Operator op) {
    return op == Operator::sgd || op == Operator::adam;
}
// Of the operators and gradients that compare each position of a map with what it should be.
constexpr bool is_loss(Operator op) {
    return forward_of(op) == Operator::softmax_cross_entropy ||
           forward_of(op) == Operator::mean_squared_error;
}

// The operator that computes that gradient of a forward operator, or nothing.
constexpr std::optional<Operator> gradient_of(Operator forward, Gradient gradient) {
    for (const OperatorFacts& row : operator_table)
        if (row.forward == forward && row.gradient == gradient)
            return row.op;
    return std::nullopt;
}

// Whether a layer of that operator can be trained, or passed through by a gradient.
constexpr bool has_gradients(Operator forward) {
    return gradient_of(forward, Gradient::input).has_value();
}

constexpr std::optional<Operator> operator_named(std::string_view name) {
    for (const OperatorFacts& row : operator_table)
        if (row.name == name)
            return row.op;
    return std::nullopt;
}

// The row of that name, or null. To compare it with null is no constant expression for g++ 12 under
// -fsanitize=undefined; there, ask operator_named.
constexpr const OperatorFacts* find_operator(std::string_view name) {
    const std::optional<Operator> op = operator_named(name);
    return op ? &facts(*op) : nullptr;
}

constexpr bool is_operator_table_in_order() {
    for (std::size_t i = 0; i < std::size(operator_table); ++i)
        if (static_cast<std::size_t>(operator_table[i].op) != i)
            return false;
    return true;
}
static_assert(is_operator_table_in_order(), "operator_table's rows stand in the order of the enumerators");

} // namespace lamina
