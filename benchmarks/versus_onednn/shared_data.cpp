#include "benchmarks/versus_onednn/shared_data.hpp"

#include "tuner/operand_data.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace lamina::versus {

namespace {

constexpr std::uint64_t seed = 1;
constexpr std::size_t alignment = 64;

bool is_max_pool_gradient(const Problem& p) {
    return p.op == Operator::max_pool_input_gradient || p.op == Operator::global_max_pool_input_gradient;
}

// Each number once, in an order without pattern, so that no window has two maxima: which of them a library
// takes would be its own affair. The factor is odd, and so the products differ below the power of two.
std::vector<float> distinct_values(std::size_t count) {
    std::size_t range = 1;
    while (range < count)
        range *= 2;
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i)
        values[i] = static_cast<float>((i * 0x9e3779b1u) % range);
    return values;
}

// One map in memory, `at` by image, row, column and channel.
struct Map {
    Shape shape;
    Layout layout;

    std::size_t at(int n, int y, int x, int c) const {
        const auto [batch, height, width, channels] = shape;
        const auto index = layout == Layout::nhwc
                               ? ((static_cast<std::int64_t>(n) * height + y) * width + x) * channels + c
                               : ((static_cast<std::int64_t>(n) * channels + c) * height + y) * width + x;
        return static_cast<std::size_t>(index);
    }
};

// y * width + x of the largest value of an output's window.
std::int32_t place_of_maximum(const Problem& p, const Map& in, const float* values, int n, int row,
                              int column, int c) {
    const bool is_global = !facts(p.op).has_window;
    const Size kernel = is_global ? Size(p.in.height, p.in.width) : p.kernel_size;
    const Padding padding = is_global ? Padding() : resolved_padding(p);
    std::int32_t best = -1;
    float most = 0;
    for (int a = 0; a < kernel.height; ++a)
        for (int b = 0; b < kernel.width; ++b) {
            const int y = row * p.stride.height + a * p.dilation.height - padding.top,
                      x = column * p.stride.width + b * p.dilation.width - padding.left;
            if (y < 0 || y >= p.in.height || x < 0 || x >= p.in.width)
                continue;
            if (const float value = values[in.at(n, y, x, c)]; best < 0 || value > most) {
                best = y * p.in.width + x;
                most = value;
            }
        }
    return best;
}

} // namespace

void SharedData::Free::operator()(float* memory) const {
    std::free(memory);
}

const float* SharedData::find(std::string_view name) const {
    const auto found = std::ranges::find(operands_, name, &Named::name);
    return found == operands_.end() ? nullptr : found->values.get();
}

lamina_view SharedData::make(const lamina_operand& operand) {
    std::vector<float> values = operand_values(operand, seed);
    if (operand.is_output)
        std::ranges::fill(values, 0.0f);
    const std::size_t bytes = values.size() * sizeof(float);
    auto* memory = static_cast<float*>(
        std::aligned_alloc(alignment, std::max(alignment, (bytes + alignment - 1) / alignment * alignment)));
    if (!memory)
        throw std::bad_alloc();
    std::memcpy(memory, values.data(), bytes);
    operands_.push_back({operand.name, std::unique_ptr<float[], Free>(memory)});
    std::int64_t shape[LAMINA_MAX_RANK] = {};
    for (int i = 0; i < operand.rank; ++i)
        shape[i] = std::max<std::int64_t>(operand.shape[i], 1);
    return lamina_dense_view(memory, operand.type, operand.rank, shape);
}

SharedData::SharedData(const LoadedKernel& loaded, const Problem& problem) {
    const lamina_kernel& call = loaded.call();
    for (int i = 0; i < call.operand_count; ++i)
        views_.push_back(make(call.operands[i]));
    put_in_place(call, static_cast<std::size_t>(main_result(problem).elements()));
    if (loaded.pack())
        pack(loaded);
    if (is_max_pool_gradient(problem))
        choose_maxima(loaded, problem);
}

// As oneDNN does, which adds to what lies in the result's memory.
void SharedData::put_in_place(const lamina_kernel& call, std::size_t result_elements) {
    for (int i = 0; i < call.operand_count; ++i) {
        const lamina_operand& operand = call.operands[i];
        if (operand.in_place_of == 0 ||
            std::string_view(call.operands[operand.in_place_of - 1].name) != "residual")
            continue;
        const lamina_view& result = views_[static_cast<std::size_t>(i)];
        added_to_ = {static_cast<float*>(result.data), result_elements};
        views_[static_cast<std::size_t>(operand.in_place_of - 1)].data = result.data;
    }
}

void SharedData::restore() {
    if (!added_to_.empty())
        std::copy_n(find("residual"), added_to_.size(), added_to_.begin());
}

void SharedData::pack(const LoadedKernel& loaded) {
    const lamina_kernel& call = loaded.call();
    for (int i = 0; i < call.operand_count; ++i)
        if (std::string_view(call.operands[i].name) == "packed_kernel") {
            const lamina_view operands[] = {make(loaded.pack()->operands[0]),
                                            views_[static_cast<std::size_t>(i)]};
            lamina_context context{};
            if (lamina_call(loaded.pack(), &context, operands, 2) != LAMINA_OK)
                error_ = context.message;
            lamina_context_release(&context);
        }
}

// Lamina's gradient takes the maxima's places as an operand, and oneDNN a workspace of its own from a forward
// call: here both come from the same input, which is kept for that call.
void SharedData::choose_maxima(const LoadedKernel& loaded, const Problem& problem) {
    Problem p = problem;
    p.in.batch = std::max(p.in.batch, 1);
    const Shape out_shape = output_shape(p);
    const Map in{p.in, p.layout}, out{out_shape, p.layout};
    const std::array<int, 4> shape = in_memory_order(p.in, p.layout);
    lamina_operand operand{"input", LAMINA_F32, 0, 4, {shape[0], shape[1], shape[2], shape[3]}, 0};
    auto* values = static_cast<float*>(make(operand).data);
    std::ranges::copy(distinct_values(static_cast<std::size_t>(elements(p.in))), values);
    for (int i = 0; i < loaded.call().operand_count; ++i) {
        if (std::string_view(loaded.call().operands[i].name) != "indices")
            continue;
        auto* indices = static_cast<std::int32_t*>(views_[static_cast<std::size_t>(i)].data);
        for (int n = 0; n < out_shape.batch; ++n)
            for (int y = 0; y < out_shape.height; ++y)
                for (int x = 0; x < out_shape.width; ++x)
                    for (int c = 0; c < out_shape.channels; ++c)
                        indices[out.at(n, y, x, c)] = place_of_maximum(p, in, values, n, y, x, c);
    }
}

} // namespace lamina::versus
