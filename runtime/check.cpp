#include "check.hpp"

#include "device.hpp"
#include "lamina/shapes.hpp"

namespace lamina::detail {

namespace {

// Halide's kernels index with 32 bits.
constexpr std::int64_t max_elements = std::numeric_limits<std::int32_t>::max();

constexpr std::int64_t element_size = 4; // of every lamina_type

bool is_rank(std::int32_t rank) {
    return rank >= 1 && rank <= LAMINA_MAX_RANK;
}

std::string_view type_name(lamina_type type) {
    return type == LAMINA_F32 ? "f32" : type == LAMINA_I32 ? "i32" : "an unknown type";
}

Text shape_text(std::int32_t rank, const std::int64_t* shape, bool is_expected) {
    Text text;
    if (!is_rank(rank))
        return text << "rank " << rank;
    for (std::int32_t i = 0; i < rank; ++i) {
        text << (i > 0 ? "x" : "");
        if (is_expected && i == 0 && shape[0] == open_batch)
            text << "?";
        else
            text << shape[i];
    }
    return text;
}

MaybeRefusal check_shape(const lamina_operand& expected, const lamina_view& view) {
    bool fits = view.rank == expected.rank;
    for (std::int32_t i = 0; fits && i < expected.rank; ++i) {
        const bool is_open = i == 0 && expected.shape[0] == open_batch;
        fits = is_open ? view.shape[0] >= 1 : view.shape[i] == expected.shape[i];
    }
    if (!fits)
        return Refusal{LAMINA_BAD_SHAPE, expected.name,
                       Text("expected ") << shape_text(expected.rank, expected.shape, true) << ", got "
                                         << shape_text(view.rank, view.shape, false)};
    if (element_count(view) > max_elements)
        return Refusal{LAMINA_BAD_SHAPE, expected.name,
                       shape_text(view.rank, view.shape, false)
                           << " has more than " << max_elements << " elements"};
    return {};
}

// A dimension of extent 1 is never stepped along, so that its stride means nothing.
MaybeRefusal check_strides(const char* name, const lamina_view& view) {
    std::int64_t dense = 1;
    for (std::int32_t i = view.rank - 1; i >= 0; --i) {
        if (view.shape[i] != 1 && view.stride[i] != dense)
            return Refusal{LAMINA_BAD_STRIDE, name,
                           Text("expected stride ")
                               << dense << " in dimension " << i << " of "
                               << shape_text(view.rank, view.shape, false) << ", got " << view.stride[i]};
        dense *= view.shape[i];
    }
    return {};
}

MaybeRefusal check_memory(const char* name, const lamina_view& view) {
    if (!view.data)
        return Refusal{LAMINA_NULL_POINTER, name, "data is null"};
    if (MaybeRefusal refusal = check_strides(name, view))
        return refusal;
    if (reinterpret_cast<std::uintptr_t>(view.data) % element_size != 0)
        return Refusal{LAMINA_MISALIGNED, name, Text("data must be aligned to ") << element_size << " bytes"};
    return {};
}

MaybeRefusal check_batches(const lamina_kernel& kernel, const lamina_view* views) {
    const lamina_operand* first = nullptr;
    std::int64_t batch = 0;
    for (std::int32_t i = 0; i < kernel.operand_count; ++i) {
        const lamina_operand& operand = kernel.operands[i];
        if (operand.shape[0] != open_batch)
            continue;
        if (first && views[i].shape[0] != batch)
            return Refusal{LAMINA_BAD_SHAPE, operand.name,
                           Text("expected the batch of operand '")
                               << first->name << "', " << batch << ", got " << views[i].shape[0]};
        first = first ? first : &operand;
        batch = views[i].shape[0];
    }
    return {};
}

bool share_bytes(const lamina_view& a, const lamina_view& b) {
    if (a.device || b.device)
        return a.device == b.device;
    const auto begin_a = reinterpret_cast<std::uintptr_t>(a.data);
    const auto begin_b = reinterpret_cast<std::uintptr_t>(b.data);
    return begin_a < begin_b + static_cast<std::uintptr_t>(element_count(b) * element_size) &&
           begin_b < begin_a + static_cast<std::uintptr_t>(element_count(a) * element_size);
}

// Whether view i is an output that is computed in place of the whole of view j, and may be.
bool is_in_place(const lamina_kernel& kernel, const lamina_view* views, std::int32_t i, std::int32_t j) {
    const lamina_view &a = views[i], &b = views[j];
    return kernel.operands[i].is_output && kernel.operands[i].in_place_of == j + 1 &&
           !kernel.operands[j].is_output && !a.device && !b.device && a.data == b.data &&
           element_count(a) == element_count(b);
}

MaybeRefusal check_overlap(const lamina_kernel& kernel, const lamina_view* views) {
    for (std::int32_t i = 0; i < kernel.operand_count; ++i)
        for (std::int32_t j = 0; kernel.operands[i].is_output && j < kernel.operand_count; ++j)
            if (i != j && share_bytes(views[i], views[j]) && !is_in_place(kernel, views, i, j))
                return Refusal{LAMINA_OVERLAP, kernel.operands[i].name,
                               Text("shares bytes with operand '") << kernel.operands[j].name << "'"};
    return {};
}

} // namespace

std::int64_t element_count(const lamina_view& view) {
    std::int64_t count = 1;
    for (std::int32_t i = 0; i < view.rank; ++i)
        count = saturating_product(count, view.shape[i]);
    return count;
}

MaybeRefusal check_kernel(const lamina_kernel& kernel) {
    bool is_callable = kernel.function && kernel.operands && kernel.operand_count >= 1 &&
                       kernel.operand_count <= LAMINA_MAX_OPERANDS;
    for (std::int32_t i = 0; is_callable && i < kernel.operand_count; ++i)
        is_callable = kernel.operands[i].name && is_rank(kernel.operands[i].rank);
    if (!is_callable)
        return Refusal{LAMINA_KERNEL_ERROR, nullptr, "the kernel's description is malformed"};
    return {};
}

MaybeRefusal check_form(const lamina_operand& expected, const lamina_view& view) {
    if (view.type != expected.type)
        return Refusal{LAMINA_BAD_TYPE, expected.name,
                       Text("expected ") << type_name(expected.type) << ", got " << type_name(view.type)};
    return check_shape(expected, view);
}

MaybeRefusal check_view(const lamina_operand& expected, const lamina_view& view) {
    if (MaybeRefusal refusal = check_form(expected, view))
        return refusal;
    return view.device ? check_device_buffer(expected.name, view) : check_memory(expected.name, view);
}

MaybeRefusal check_operands(const lamina_kernel& kernel, const lamina_view* views, std::int32_t count) {
    if (count != kernel.operand_count)
        return Refusal{LAMINA_BAD_SHAPE, nullptr,
                       Text("expected ") << kernel.operand_count << " operands, got " << count};
    if (!views)
        return Refusal{LAMINA_NULL_POINTER, nullptr, "the operands are null"};
    for (std::int32_t i = 0; i < count; ++i) {
        const lamina_operand& operand = kernel.operands[i];
        if (views[i].device && !kernel.uses_device)
            return Refusal{LAMINA_BAD_TYPE, operand.name,
                           "the data live on a device, but the kernel runs on the CPU; download them first"};
        if (MaybeRefusal refusal = check_view(operand, views[i]))
            return refusal;
    }
    if (MaybeRefusal refusal = check_batches(kernel, views))
        return refusal;
    return check_overlap(kernel, views);
}

} // namespace lamina::detail
