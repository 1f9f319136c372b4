#include "tests/reference/reference.hpp"

#include "tests/reference/operators.hpp"

#include <stdexcept>

namespace lamina::testing {

namespace {

struct Row {
    Operator op;
    Reference compute;
};

constexpr Row table[] = {
    {Operator::cross_correlation, reference_cross_correlation},
    {Operator::convolution, reference_convolution},
    {Operator::transposed_convolution, reference_transposed_convolution},
    {Operator::separable_convolution, reference_separable_convolution},
    {Operator::pooled_cross_correlation, reference_pooled_cross_correlation},
    {Operator::max_pool, reference_max_pool},
    {Operator::average_pool, reference_average_pool},
    {Operator::lp_pool, reference_lp_pool},
    {Operator::global_max_pool, reference_global_max_pool},
    {Operator::global_average_pool, reference_global_average_pool},
    {Operator::max_unpool, reference_max_unpool},
    {Operator::dense, reference_dense},
    {Operator::softmax, reference_softmax},
    {Operator::add, reference_add},
    {Operator::softmax_cross_entropy, reference_softmax_cross_entropy},
    {Operator::mean_squared_error, reference_mean_squared_error},
    {Operator::sgd, reference_sgd},
    {Operator::adam, reference_adam},
    {Operator::cross_correlation_input_gradient, reference_input_gradient},
    {Operator::cross_correlation_kernel_gradient, reference_kernel_gradient},
    {Operator::cross_correlation_bias_gradient, reference_bias_gradient},
    {Operator::cross_correlation_residual_gradient, reference_residual_gradient},
    {Operator::convolution_input_gradient, reference_input_gradient},
    {Operator::convolution_kernel_gradient, reference_kernel_gradient},
    {Operator::convolution_bias_gradient, reference_bias_gradient},
    {Operator::convolution_residual_gradient, reference_residual_gradient},
    {Operator::transposed_convolution_input_gradient, reference_input_gradient},
    {Operator::transposed_convolution_kernel_gradient, reference_kernel_gradient},
    {Operator::transposed_convolution_bias_gradient, reference_bias_gradient},
    {Operator::transposed_convolution_residual_gradient, reference_residual_gradient},
    {Operator::max_pool_input_gradient, reference_max_pool_gradient},
    {Operator::average_pool_input_gradient, reference_average_pool_gradient},
    {Operator::lp_pool_input_gradient, reference_lp_pool_gradient},
    {Operator::global_max_pool_input_gradient, reference_global_max_pool_gradient},
    {Operator::global_average_pool_input_gradient, reference_global_average_pool_gradient},
    {Operator::max_unpool_input_gradient, reference_max_unpool_gradient},
    {Operator::dense_input_gradient, reference_dense_input_gradient},
    {Operator::dense_kernel_gradient, reference_dense_kernel_gradient},
    {Operator::dense_bias_gradient, reference_bias_gradient},
    {Operator::dense_residual_gradient, reference_residual_gradient},
    {Operator::softmax_input_gradient, reference_softmax_gradient},
    {Operator::softmax_cross_entropy_input_gradient, reference_softmax_cross_entropy_gradient},
    {Operator::mean_squared_error_input_gradient, reference_mean_squared_error_gradient},
};

Reference find(Operator op) {
    for (const Row& row : table)
        if (row.op == op)
            return row.compute;
    return nullptr;
}

} // namespace

bool has_reference(Operator op) {
    return find(op) != nullptr;
}

void reference_sums(const Problem& problem, Tensors& tensors) {
    const Reference compute = find(problem.op);
    if (!compute)
        throw std::logic_error("no reference for " + std::string(facts(problem.op).name));
    const int batch = tensors.at(std::string(batch_operand(problem.op))).shape[0];
    for (const Operand& operand : operands(problem))
        if (operand.direction == Direction::out)
            tensors[std::string(operand.name)] = tensor_for(operand, batch);
    compute(problem, tensors);
}

void reference(const Problem& problem, Tensors& tensors) {
    reference_sums(problem, tensors);
    const bool is_pooled = problem.op == Operator::pooled_cross_correlation; // behind its epilogue
    if (facts(problem.op).has_kernel && !is_gradient(problem.op) && !is_pooled)
        reference_epilogue(problem, tensors);
}

} // namespace lamina::testing
