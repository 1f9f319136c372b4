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
    {Operator::max_pool, reference_max_pool},
    {Operator::average_pool, reference_average_pool},
    {Operator::lp_pool, reference_lp_pool},
    {Operator::global_max_pool, reference_global_max_pool},
    {Operator::global_average_pool, reference_global_average_pool},
    {Operator::max_unpool, reference_max_unpool},
    {Operator::dense, reference_dense},
    {Operator::softmax, reference_softmax},
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
    const int batch = tensors.at("input").shape[0];
    for (const Operand& operand : operands(problem))
        if (operand.direction == Direction::out)
            tensors[std::string(operand.name)] = tensor_for(operand, batch);
    compute(problem, tensors);
}

void reference(const Problem& problem, Tensors& tensors) {
    reference_sums(problem, tensors);
    reference_epilogue(problem, tensors);
}

} // namespace lamina::testing
