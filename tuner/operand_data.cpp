#include "tuner/operand_data.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace lamina {

namespace {

// splitmix64, so that the same seed gives the same data everywhere.
std::uint64_t next(std::uint64_t& state) {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

// Of a number from -4 to 4. Steps of training take rates above 0 and, as a mean of squares, a second moment
// that is not negative; of others they would make no numbers.
float in_range_of(std::string_view operand, std::int32_t number) {
    if (operand == "rates")
        return static_cast<float>(number + 5) / 16;
    return static_cast<float>(operand == "second_moment" ? std::abs(number) : number);
}

} // namespace

std::vector<float> operand_values(const lamina_operand& operand, std::uint64_t seed) {
    std::uint64_t state = seed;
    for (const char letter : std::string_view(operand.name))
        state = state * 31 + static_cast<unsigned char>(letter);
    std::size_t elements = 1;
    for (int i = 0; i < operand.rank; ++i)
        elements *= operand.shape[i] == 0 ? 1 : static_cast<std::size_t>(operand.shape[i]);
    std::vector<float> values(elements);
    for (float& value : values) {
        const auto number = static_cast<std::int32_t>(next(state) % 9) - 4;
        if (operand.type == LAMINA_I32)
            std::memcpy(&value, &number, sizeof number);
        else
            value = in_range_of(operand.name, number);
    }
    return values;
}

lamina_view OperandData::make(const lamina_operand& operand, std::uint64_t seed) {
    std::int64_t shape[LAMINA_MAX_RANK] = {};
    for (int i = 0; i < operand.rank; ++i)
        shape[i] = operand.shape[i] == 0 ? 1 : operand.shape[i];
    std::vector<float>& buffer = storage_.emplace_back(operand_values(operand, seed));
    if (operand.is_output)
        std::ranges::fill(buffer, 0.0f);
    return lamina_dense_view(buffer.data(), operand.type, operand.rank, shape);
}

OperandData::OperandData(const LoadedKernel& loaded, std::uint64_t seed) {
    const lamina_kernel& call = loaded.call();
    for (int i = 0; i < call.operand_count; ++i)
        views_.push_back(make(call.operands[i], seed));
    const lamina_kernel* pack = loaded.pack();
    if (!pack)
        return;
    for (int i = 0; i < call.operand_count; ++i)
        if (std::string_view(call.operands[i].name) == "packed_kernel") {
            const lamina_view operands[] = {make(pack->operands[0], seed),
                                            views_[static_cast<std::size_t>(i)]};
            lamina_context context{};
            if (lamina_call(pack, &context, operands, 2) != LAMINA_OK)
                error_ = context.message;
            lamina_context_release(&context);
        }
}

} // namespace lamina
