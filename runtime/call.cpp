#include "buffers.hpp"
#include "check.hpp"
#include "device.hpp"
#include "hooks.hpp"
#include "scratch.hpp"

namespace lamina::detail {

namespace {

MaybeRefusal check_cpu(const lamina_kernel& kernel) {
    static_assert((halide_target_feature_end + 63) / 64 == std::size(decltype(kernel.cpu_features){}),
                  "lamina_kernel holds all of Halide's feature bits");
    const bool has_demands = kernel.cpu_features[0] != 0 || kernel.cpu_features[1] != 0;
    if (has_demands && halide_can_use_target_features(2, kernel.cpu_features) == 0)
        return Refusal{LAMINA_UNSUPPORTED_CPU, nullptr,
                       "this CPU has none of the instruction sets that the kernel was built for"};
    return {};
}

MaybeRefusal outcome(const lamina_kernel& kernel, const Call& call, int result) {
    if (result == 0)
        return {};
    if (const std::size_t bytes = call.refused_scratch())
        return Refusal{LAMINA_OUT_OF_MEMORY, nullptr,
                       Text("the kernel asked for ") << static_cast<std::int64_t>(bytes)
                                                     << " bytes beyond the scratch that it says it needs"};
    const lamina_code code = kernel.uses_device ? LAMINA_DEVICE_ERROR : LAMINA_KERNEL_ERROR;
    if (call.error()[0] != '\0')
        return Refusal{code, nullptr, call.error()};
    return Refusal{code, nullptr, Text("the kernel returned ") << result};
}

MaybeRefusal run(const lamina_kernel& kernel, lamina_context* context, const lamina_view* views) {
    const ScratchNeed need = scratch_need(kernel, context ? context->threads : 1);
    if (context)
        if (MaybeRefusal refusal = check_context(*context, need))
            return refusal;
    CallScratch scratch;
    if (MaybeRefusal refusal = scratch.acquire(context, need))
        return refusal;
    install_hooks();
    Call call(need.threads, {scratch.memory(), need.serial, need.per_thread});
    Worker worker{call, call.serial_stack(), false};
    const CurrentWorker current(worker);
    Buffers buffers(kernel, views, &call);
    const int result =
        kernel.uses_device ? run_on_device(kernel, buffers, &call) : kernel.function(buffers.arguments());
    return outcome(kernel, call, result);
}

std::string_view subject_of(const lamina_kernel& kernel) {
    if (kernel.problem && kernel.problem[0] != '\0')
        return kernel.problem;
    return kernel.name ? kernel.name : "kernel";
}

} // namespace

} // namespace lamina::detail

using namespace lamina::detail;

extern "C" lamina_code lamina_call(const lamina_kernel* kernel, lamina_context* context,
                                   const lamina_view* operands, int32_t operand_count) {
    if (!kernel)
        return report(context, "kernel", Refusal{LAMINA_NULL_POINTER, nullptr, "the kernel is null"});
    MaybeRefusal refusal = check_kernel(*kernel);
    if (!refusal)
        refusal = check_operands(*kernel, operands, operand_count);
    if (!refusal)
        refusal = check_cpu(*kernel);
    if (!refusal)
        refusal = run(*kernel, context, operands);
    return report(context, subject_of(*kernel), refusal);
}
