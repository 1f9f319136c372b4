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
    std::string_view formula; // X input, W kernel, Z output; i, j rows and columns, c, d channels; s stride,
                              // l dilation, p padding
    bool has_kernel;          // sums products with trained weights, and so has an epilogue
    bool has_window;          // looks at kernel_size positions of the input
};

inline constexpr OperatorFacts operator_table[] = {
    {Operator::cross_correlation, "cross_correlation", "cross-correlation, what frameworks call convolution",
     "Z[i,j,d] = sum_{a,b,c} X[i*s+a*l-p, j*s+b*l-p, c] * W[a,b,c,d]", true, true},
    {Operator::convolution, "convolution", "true convolution: the kernel is flipped in both axes",
     "Z[i,j,d] = sum_{a,b,c} X[i*s+a*l-p, j*s+b*l-p, c] * W[V-1-a,U-1-b,c,d]", true, true},
    {Operator::transposed_convolution, "transposed_convolution",
     "the adjoint of cross_correlation in its input",
     "Z[i*s+a*l-p, j*s+b*l-p, d] = sum over all such i,j,a,b,c of X[i,j,c] * W[a,b,c,d]", true, true},
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
};

constexpr const OperatorFacts& facts(Operator op) {
    return operator_table[static_cast<std::size_t>(op)];
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
