#include "generators/problem_generator.hpp"

#include <fmt/format.h>

namespace lamina {

using Halide::Func;

const Func& OperatorInputs::operator[](std::string_view name) const {
    for (const auto& [operand, func] : funcs)
        if (operand == name)
            return func;
    throw Halide::InternalError(fmt::format("no operand is called {}", name));
}

std::string halide_name(const Operand& operand) {
    return operand.name == "target" ? "target_map" : std::string(operand.name);
}

ProblemParams::ProblemParams(Operator op) : op_(op) {
    for (std::size_t i = 0; i < key_count; ++i)
        if (key_table[i].applies_to(op))
            params_[i].emplace(std::string(key_table[i].name), "");
}

Problem ProblemParams::problem() const {
    std::string text(facts(op_).name);
    for (std::size_t i = 0; i < key_count; ++i)
        if (params_[i] && !params_[i]->value().empty())
            text += fmt::format(" {}={}", key_table[i].name, params_[i]->value());
    const ParsedProblem parsed = parse_problem(text);
    if (!parsed.ok())
        throw Halide::CompileError(std::string(parsed.error.view()));
    return parsed.problem;
}

AlgorithmRequest ProblemGeneratorState::request() const {
    return choice.family->request(situation, choice.knobs);
}

OperatorInputs ProblemGeneratorState::operator_inputs() const {
    OperatorInputs operands;
    operands.request = request();
    operands.is_kernel_packed = is_kernel_packed;
    operands.batch = sums_as_requested(situation.problem, operands.request).in.batch;
    for (const auto& [operand, input] : inputs) {
        operands.funcs.emplace_back(operand.name, Func(*input));
        if (operand.rank == 4 && operand.shape[0] == open_batch)
            operands.batch = input->dim(3).extent();
    }
    return operands;
}

namespace {

// The extent of dimension `d`, counted from the contiguous one, or 0 for an open batch.
int extent(const Operand& operand, int d) {
    return operand.shape[static_cast<std::size_t>(operand.rank - 1 - d)];
}

// Halide gives a second output the extents of the first, and refuses to be told.
template <class Buffer>
void constrain(Buffer&& buffer, const Operand& operand, bool is_second_output = false) {
    int stride = 1;
    for (int d = 0; d < operand.rank; ++d) {
        const int size = extent(operand, d);
        auto dim = buffer.dim(d);
        dim.set_stride(stride);
        if (!is_second_output)
            dim.set_min(0);
        if (!is_second_output && size > 0)
            dim.set_extent(size);
        dim.set_estimate(0, size > 0 ? size : 1);
        stride *= size > 0 ? size : 1;
    }
}

// The same bytes as rows of positions, one row for each strip of the map or one for all, see Stages.
Operand linear(Operand operand, Layout layout, int strip_rows) {
    const auto [n, first, second, last] = operand.shape;
    const int height = layout == Layout::nchw ? second : first;
    const int strips = strip_rows > 0 ? height / strip_rows : 1;
    if (layout == Layout::nchw)
        operand.shape = {n, first, strips, second * last / strips};
    else
        operand.shape = {n, strips, first * second / strips, last};
    return operand;
}

// The same bytes as one row of positions, of all images where their number is known.
Operand positions(Operand operand) {
    if (operand.rank != 4)
        return operand;
    const auto [n, height, width, channels] = operand.shape;
    const bool is_known = n != open_batch;
    operand.shape = {is_known ? 1 : open_batch, 1, (is_known ? n : 1) * height * width, channels};
    return operand;
}

// The same bytes as one image with the rows of all.
Operand one_image(Operand operand) {
    if (operand.rank != 4 || operand.name == "kernel")
        return operand;
    const auto [n, height, width, channels] = operand.shape;
    operand.shape = {1, n * height, width, channels};
    return operand;
}

} // namespace

void ProblemGeneratorState::constrain_call() {
    const Problem& problem = situation.problem;
    const AlgorithmRequest asked = request();
    const bool is_linear = asked.is_linear && problem.op != Operator::pooled_cross_correlation;
    const int strip_rows = asked.strip_rows;
    const bool is_one_row = asked.window.positions > 0;
    const Problem convolution = as_convolution(problem);
    const Layout layout = convolution.layout;
    const bool has_one_image = sums_as_requested(problem, asked) != convolution;
    const auto seen_as = [&](const Operand& operand) {
        return has_one_image ? one_image(operand) : as_seen(problem, operand);
    };
    for (const auto& [operand, input] : inputs) {
        const Operand whole = seen_as(operand), seen = is_one_row ? positions(whole) : whole;
        constrain(*input, is_linear && operand.name == "residual" ? linear(seen, layout, strip_rows) : seen);
    }
    Func func = *output;
    std::vector<Halide::OutputImageParam> buffers = func.output_buffers();
    std::size_t next = 0;
    for (const Operand& operand : operands(problem))
        if (operand.direction == Direction::out) {
            const Operand seen = seen_as(operand);
            constrain(buffers[next], is_linear ? linear(seen, layout, strip_rows) : seen, next > 0);
            ++next;
        }
}

void ProblemGeneratorState::constrain_packing() {
    const Operands pack = pack_operands(situation.problem, packed_kernel_size(situation.problem, request()));
    for (const auto& [operand, input] : inputs)
        constrain(*input, operand);
    Func func = *output;
    constrain(func.output_buffers()[0], *pack.find("packed_kernel"));
}

} // namespace lamina
