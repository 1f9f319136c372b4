// The parts of the C interface that need no kernel.
#include "lamina/shapes.hpp"
#include "scratch.hpp"

#include <cstdio>

namespace lamina::detail {

lamina_code report(lamina_context* context, std::string_view subject, const MaybeRefusal& refusal) noexcept {
    const lamina_code code = refusal ? refusal->code : LAMINA_OK;
    if (!context)
        return code;
    context->code = code;
    context->message[0] = '\0';
    if (!refusal)
        return code;
    const std::string_view reason = refusal->reason;
    const char* const operand = refusal->operand ? refusal->operand : "";
    std::snprintf(context->message, sizeof context->message, "%.*s: %s%s%s%s: %.*s",
                  static_cast<int>(subject.size()), subject.data(), refusal->operand ? "operand '" : "",
                  operand, refusal->operand ? "': " : "", lamina_code_name(code),
                  static_cast<int>(reason.size()), reason.data());
    return code;
}

} // namespace lamina::detail

using namespace lamina::detail;

extern "C" {

const char* lamina_code_name(lamina_code code) {
    switch (code) {
    case LAMINA_OK:
        return "ok";
    case LAMINA_BAD_SHAPE:
        return "bad shape";
    case LAMINA_BAD_STRIDE:
        return "bad stride";
    case LAMINA_BAD_TYPE:
        return "bad type";
    case LAMINA_NULL_POINTER:
        return "null pointer";
    case LAMINA_MISALIGNED:
        return "misaligned";
    case LAMINA_OVERLAP:
        return "overlap";
    case LAMINA_BAD_CONTEXT:
        return "bad context";
    case LAMINA_OUT_OF_MEMORY:
        return "out of memory";
    case LAMINA_UNSUPPORTED_CPU:
        return "unsupported CPU";
    case LAMINA_DEVICE_ERROR:
        return "device error";
    case LAMINA_KERNEL_ERROR:
        return "kernel error";
    case LAMINA_BAD_FILE:
        return "bad file";
    }
    return "unknown code";
}

size_t lamina_scratch_size(const lamina_kernel* kernel, int32_t threads) {
    if (!kernel)
        return 0;
    const ScratchNeed need = scratch_need(*kernel, threads);
    return need.total();
}

void lamina_context_release(lamina_context* context) {
    if (!context || !context->kept_scratch)
        return;
    release_memory(context->allocator, context->kept_scratch);
    context->kept_scratch = nullptr;
    context->kept_scratch_size = 0;
}

lamina_view lamina_dense_view(void* data, lamina_type type, int32_t rank, const int64_t* shape) {
    lamina_view view{};
    view.data = data;
    view.type = type;
    view.rank = rank;
    int64_t stride = 1;
    for (int32_t i = (rank < LAMINA_MAX_RANK ? rank : LAMINA_MAX_RANK) - 1; shape && i >= 0; --i) {
        view.shape[i] = shape[i];
        view.stride[i] = stride;
        stride = shape[i] < 1 ? 0 : saturating_product(stride, shape[i]);
    }
    return view;
}
}
