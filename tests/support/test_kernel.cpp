#include "tests/support/test_kernel.hpp"

#include <fmt/format.h>

#include <cstring>
#include <stdexcept>

namespace lamina::testing {

namespace {

// What no kernel computes from the operands of tests: a NaN, or -1 million as an index.
constexpr float unwritten_value = std::numeric_limits<float>::quiet_NaN();
constexpr std::int32_t unwritten_index = -1'000'000;

// One operand of a C call with its memory.
struct OperandMemory {
    const lamina_operand* operand;
    GuardedBuffer buffer;
    std::vector<int> shape;
};

OperandMemory allocate(const lamina_operand& operand, int batch, Flush flush) {
    std::vector<int> shape(operand.shape, operand.shape + operand.rank);
    if (operand.rank == 4 && shape[0] == open_batch)
        shape[0] = batch;
    return {&operand, GuardedBuffer(4 * TestTensor::count(shape), flush), shape};
}

void fill(OperandMemory& memory, const TestTensor* tensor) {
    char* data = static_cast<char*>(memory.buffer.data());
    for (std::size_t at = 0; at < TestTensor::count(memory.shape); ++at) {
        const float value = tensor ? static_cast<float>(tensor->data.at(at)) : unwritten_value;
        const std::int32_t index = tensor ? static_cast<std::int32_t>(tensor->data.at(at)) : unwritten_index;
        std::memcpy(data + 4 * at,
                    memory.operand->type == LAMINA_I32 ? static_cast<const void*>(&index) : &value, 4);
    }
}

// An output may lie in an input's memory.
TestTensor read_back(const OperandMemory& memory, const lamina_view& view) {
    TestTensor tensor(memory.shape);
    const char* data = static_cast<const char*>(view.data);
    for (std::size_t at = 0; at < tensor.data.size(); ++at) {
        float value = 0;
        std::int32_t index = 0;
        std::memcpy(&value, data + 4 * at, 4);
        std::memcpy(&index, data + 4 * at, 4);
        tensor.data[at] = memory.operand->type == LAMINA_I32 ? index : value;
    }
    return tensor;
}

lamina_view view_of(const OperandMemory& memory) {
    const std::vector<std::int64_t> shape(memory.shape.begin(), memory.shape.end());
    return lamina_dense_view(memory.buffer.data(), memory.operand->type, memory.operand->rank, shape.data());
}

// Calls the kernel; outputs are added to `tensors` under their names.
std::string call_with(const lamina_kernel& kernel, Tensors& tensors, int batch,
                      const CallConditions& conditions) {
    std::vector<OperandMemory> memories;
    std::vector<lamina_view> views;
    for (int i = 0; i < kernel.operand_count; ++i) {
        const lamina_operand& operand = kernel.operands[i];
        memories.push_back(allocate(operand, batch, conditions.flush));
        fill(memories.back(), operand.is_output ? nullptr : &tensors.at(operand.name));
        views.push_back(conditions.is_in_place && operand.in_place_of > 0
                            ? views[static_cast<std::size_t>(operand.in_place_of) - 1]
                            : view_of(memories.back()));
    }
    const GuardedBuffer scratch(lamina_scratch_size(&kernel, conditions.threads), conditions.flush);
    lamina_context context{};
    context.threads = conditions.threads;
    context.scratch = scratch.size() > 0 ? scratch.data() : nullptr;
    context.scratch_size = scratch.size();
    const lamina_code code = lamina_call(&kernel, &context, views.data(), kernel.operand_count);
    lamina_context_release(&context);
    if (code != LAMINA_OK)
        return fmt::format("{}: {}", lamina_code_name(code), context.message);
    for (std::size_t i = 0; i < memories.size(); ++i)
        if (memories[i].operand->is_output)
            tensors[memories[i].operand->name] = read_back(memories[i], views[i]);
    return "";
}

} // namespace

TestKernel::TestKernel(const Problem& problem, const TargetFacts& target, const std::string& schedule)
    : problem_(problem), kernel_(load_kernel({"lamina_test_kernel", problem, schedule}, target, "")) {}

std::string TestKernel::schedule() const {
    const std::vector<Choice>& choices = kernel_.compiled().choices;
    if (choices.empty() || !choices[0].family)
        return "";
    return to_text(choices[0].family->name, choices[0].knobs);
}

CallResult TestKernel::call(const Tensors& operands, const CallConditions& conditions) const {
    Tensors tensors = operands;
    CallResult result;
    const int batch = operands.at(std::string(batch_operand(problem_.op))).shape[0];
    if (const lamina_kernel* pack = kernel_.pack())
        result.error = call_with(*pack, tensors, batch, conditions);
    if (result.error.empty())
        result.error = call_with(kernel_.call(), tensors, batch, conditions);
    if (result.error.empty())
        for (const Operand& operand : lamina::operands(problem_))
            if (operand.direction == Direction::out)
                result.outputs[std::string(operand.name)] = tensors.at(std::string(operand.name));
    return result;
}

Tensors outputs_of(const Problem& problem, const Tensors& operands) {
    const TestKernel kernel(problem, *runnable_targets().back(), "");
    if (!kernel.error().empty())
        throw std::runtime_error(kernel.error());
    CallResult result = kernel.call(operands);
    if (!result.error.empty())
        throw std::runtime_error(result.error);
    return std::move(result.outputs);
}

std::vector<const TargetFacts*> runnable_targets() {
    std::vector<const TargetFacts*> targets;
    for (const TargetFacts& target : target_table())
        if (!target.is_gpu && can_run_here(target))
            targets.push_back(&target);
    return targets;
}

} // namespace lamina::testing
