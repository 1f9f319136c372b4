// Calls every kernel of a generated header, which kernels.inc lists, on random operands and compares with the
// references. Prints one line per kernel: a hash of the output's bits and the problem. Built for whichever
// CPU the kernels are for.
#include "kernels.inc"

#include "tests/reference/reference.hpp"
#include "tests/support/random.hpp"
#include "tests/support/random_operands.hpp"
#include "tests/support/tolerance.hpp"

#include <cinttypes>
#include <cstdio>
#include <cstring>

using namespace lamina;
using namespace lamina::testing;

namespace {

struct Memory {
    std::vector<std::uint32_t> words;
    std::vector<std::int64_t> shape;
};

using Memories = std::map<std::string, Memory>;

std::uint32_t word_of(double value, lamina_type type) {
    const auto number = static_cast<float>(value);
    const auto index = static_cast<std::int32_t>(value);
    std::uint32_t word = 0;
    std::memcpy(&word, type == LAMINA_F32 ? static_cast<const void*>(&number) : &index, sizeof word);
    return word;
}

double value_of(std::uint32_t word, lamina_type type) {
    float number = 0;
    std::int32_t index = 0;
    std::memcpy(&number, &word, sizeof word);
    std::memcpy(&index, &word, sizeof word);
    return type == LAMINA_F32 ? number : index;
}

// The operand's memory, filled from the tensor of its name where there is one, else with NaNs.
Memory& memory_of(const lamina_operand& operand, const Tensors& tensors, Memories& memories, int batch) {
    Memory& memory = memories[operand.name];
    if (!memory.words.empty())
        return memory;
    memory.shape.assign(operand.shape, operand.shape + operand.rank);
    if (memory.shape[0] == open_batch)
        memory.shape[0] = batch;
    std::size_t count = 1;
    for (const std::int64_t extent : memory.shape)
        count *= static_cast<std::size_t>(extent);
    memory.words.assign(count, 0x7fc00000);
    if (const auto tensor = tensors.find(operand.name); tensor != tensors.end())
        for (std::size_t i = 0; i < count; ++i)
            memory.words[i] = word_of(tensor->second.data.at(i), operand.type);
    return memory;
}

// Calls; returns what went wrong, or "".
std::string call_kernel(const lamina_kernel& kernel, const Tensors& tensors, Memories& memories, int batch) {
    std::vector<lamina_view> views;
    for (int i = 0; i < kernel.operand_count; ++i) {
        const lamina_operand& operand = kernel.operands[i];
        Memory& memory = memory_of(operand, tensors, memories, batch);
        views.push_back(
            lamina_dense_view(memory.words.data(), operand.type, operand.rank, memory.shape.data()));
    }
    Context context(ContextOptions{.threads = 2});
    lamina_call(&kernel, context.get(), views.data(), kernel.operand_count);
    return std::string(context.status().message());
}

std::string compare(const Problem& problem, const lamina_kernel& kernel, const Tensors& tensors,
                    const Memories& memories, std::uint64_t& hash) {
    for (int i = 0; i < kernel.operand_count; ++i) {
        const lamina_operand& operand = kernel.operands[i];
        if (!operand.is_output)
            continue;
        const Memory& memory = memories.at(operand.name);
        TestTensor actual(tensors.at(operand.name).shape);
        for (std::size_t at = 0; at < actual.data.size(); ++at)
            actual.data[at] = value_of(memory.words.at(at), operand.type);
        const auto* bytes = reinterpret_cast<const char*>(memory.words.data());
        hash ^= seed_of({bytes, 4 * memory.words.size()});
        // An app does not see which schedule its kernel has.
        const std::string_view schedule = reads_kernel(problem.op) ? "winograd" : "";
        if (std::string text = difference(problem, operand.name, tensors.at(operand.name), actual, schedule);
            !text.empty())
            return text;
    }
    return "";
}

// Packs where `pack` is a kernel, calls and compares.
bool is_right(const lamina_kernel& kernel, const lamina_kernel* pack) {
    const ParsedProblem parsed = parse_problem(kernel.problem);
    Tensors tensors = random_operands(parsed.problem);
    const int batch = tensors.at(std::string(batch_operand(parsed.problem.op))).shape[0];
    Memories memories;
    std::uint64_t hash = 0;
    std::string error(parsed.error.view());
    if (error.empty() && pack)
        error = call_kernel(*pack, tensors, memories, batch);
    if (error.empty())
        error = call_kernel(kernel, tensors, memories, batch);
    if (error.empty()) {
        reference(parsed.problem, tensors);
        error = compare(parsed.problem, kernel, tensors, memories, hash);
    }
    std::printf("%016" PRIx64 " %s%s%s\n", hash, kernel.problem,
                error.empty() ? "" : ": WRONG: ", error.c_str());
    return error.empty();
}

bool is_pack_of(const lamina_kernel& pack, const lamina_kernel& kernel) {
    return pack.name == std::string(kernel.name) + "_pack";
}

} // namespace

int main() {
    bool are_right = true;
    const std::size_t count = std::size(listed_kernels);
    for (std::size_t i = 0; i < count; ++i) {
        const lamina_kernel& kernel = *listed_kernels[i];
        const bool has_pack = i + 1 < count && is_pack_of(*listed_kernels[i + 1], kernel);
        are_right = is_right(kernel, has_pack ? listed_kernels[i + 1] : nullptr) && are_right;
        i += has_pack ? 1 : 0;
    }
    return are_right ? 0 : 1;
}
