#include "tuner/loaded_kernel.hpp"

#include "generators/operands.hpp"
#include "generators/temporary_folder.hpp"
#include "tuner/object_code.hpp"
#include "tuner/timing.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace lamina {

lamina_operand described(const Operand& operand, int in_place_of) {
    lamina_operand result{operand.name.data(),
                          operand.type == Type::i32 ? LAMINA_I32 : LAMINA_F32,
                          operand.direction == Direction::out,
                          operand.rank,
                          {},
                          in_place_of};
    std::copy_n(operand.shape.begin(), operand.rank, result.shape);
    return result;
}

std::unique_ptr<LoadedKernel::Description> LoadedKernel::describe(const CompiledKernel& kernel,
                                                                  const CompiledFunction& function,
                                                                  const TargetFacts& target, bool is_pack) {
    auto d = std::make_unique<Description>();
    d->problem = to_text(kernel.request.problem).view();
    const Operands list = is_pack ? pack_operands(kernel.request.problem, kernel.packed_kernel_size)
                                  : call_operands(kernel.request.problem, kernel.packed_kernel_size);
    for (const Operand& operand : list)
        d->operands.push_back(described(operand, list.in_place_of(operand)));
    d->kernel.name = function.name.c_str();
    d->kernel.problem = d->problem.c_str();
    d->kernel.operand_count = static_cast<std::int32_t>(d->operands.size());
    d->kernel.operands = d->operands.data();
    d->kernel.scratch_serial = function.scratch_serial;
    d->kernel.scratch_per_thread = function.scratch_per_thread;
    const CpuFeatures features = cpu_features(target);
    std::copy(features.begin(), features.end(), d->kernel.cpu_features);
    d->kernel.uses_device = target.is_gpu && !is_pack; // packing runs on the CPU
    return d;
}

bool can_run_here(const TargetFacts& target) {
    const Halide::Target host = host_target(), wanted{std::string(target.halide)};
    if (host.arch != wanted.arch || host.os != wanted.os)
        return false;
    const CpuFeatures have = feature_bits(host), want = cpu_features(target);
    for (std::size_t i = 0; i < want.size(); ++i)
        if ((want[i] & ~have[i]) != 0)
            return false;
    return true;
}

LoadedKernel load_compiled(CompiledKernel kernel, const TargetFacts& target) {
    LoadedKernel loaded;
    loaded.compiled_ = std::move(kernel);
    CompiledKernel& compiled = loaded.compiled_;
    if (!compiled.error.empty())
        return loaded;
    loaded.objects_ = std::make_unique<LoadedObjects>();
    const auto link = [&](const CompiledFunction& function,
                          std::unique_ptr<LoadedKernel::Description>& description) {
        for (const std::string& object : function.objects) {
            loaded.code_bytes_ += std::filesystem::file_size(object);
            compiled.error = loaded.objects_->add(object);
            if (!compiled.error.empty())
                return;
            if (&function == &compiled.call)
                loaded.call_objects_.push_back(file_bytes(object));
        }
        description = LoadedKernel::describe(compiled, function, target, &function == &compiled.pack);
        description->kernel.function =
            reinterpret_cast<int (*)(void**)>(loaded.objects_->find(function.name + "_argv"));
        if (!description->kernel.function)
            compiled.error = loaded.objects_->error();
    };
    link(compiled.call, loaded.call_);
    if (compiled.error.empty() && !compiled.pack.name.empty())
        link(compiled.pack, loaded.pack_);
    return loaded;
}

LoadedKernel load_kernel(const KernelRequest& request, const TargetFacts& target,
                         const std::string& records) {
    const TemporaryFolder folder;
    if (!folder.error().empty()) {
        LoadedKernel none;
        none.compiled_.error = folder.error();
        return none;
    }
    const double start = now_seconds();
    CompiledKernel compiled =
        compile_kernel(request, {{&target}, records, folder.path(), LAMINA_ASAN_KERNELS != 0});
    const double seconds = now_seconds() - start;
    LoadedKernel loaded = load_compiled(std::move(compiled), target);
    loaded.compile_seconds_ = seconds;
    return loaded;
}

} // namespace lamina
