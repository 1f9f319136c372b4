// A kernel compiled for one target and loaded into this process.
#pragma once

#include "generators/compile.hpp"
#include "lamina/runtime.h"
#include "tuner/object_loader.hpp"

namespace lamina {

// As the runtime knows an operand.
lamina_operand described(const Operand& operand, int in_place_of = 0);

class LoadedKernel {
public:
    const std::string& error() const { return compiled_.error; } // why there is none, or empty
    const CompiledKernel& compiled() const { return compiled_; }
    // Operands as dsl lists them, with `packed_kernel` in the kernel's place.
    const lamina_kernel& call() const { return call_->kernel; }
    // Operands kernel and packed_kernel; null where the operator has no kernel.
    const lamina_kernel* pack() const { return pack_ ? &pack_->kernel : nullptr; }
    std::size_t code_bytes() const { return code_bytes_; } // of the object files
    // The bytes of the call's object files, which are gone.
    const std::vector<std::string>& call_objects() const { return call_objects_; }
    double compile_seconds() const { return compile_seconds_; }

private:
    friend LoadedKernel load_kernel(const KernelRequest&, const TargetFacts&, const std::string&);
    friend LoadedKernel load_compiled(CompiledKernel, const TargetFacts&);

    // A lamina_kernel and what it points to.
    struct Description {
        std::string problem;
        std::vector<lamina_operand> operands;
        lamina_kernel kernel{};
    };

    CompiledKernel compiled_;
    std::unique_ptr<LoadedObjects> objects_;
    std::unique_ptr<Description> call_, pack_;
    std::vector<std::string> call_objects_;
    std::size_t code_bytes_ = 0;
    double compile_seconds_ = 0;

    static std::unique_ptr<Description> describe(const CompiledKernel& kernel,
                                                 const CompiledFunction& function, const TargetFacts& target,
                                                 bool is_pack);
};

// Whether this machine's CPU runs that target's code; devices are not asked for.
bool can_run_here(const TargetFacts& target);

// Loads what compile_kernel made for one target.
LoadedKernel load_compiled(CompiledKernel kernel, const TargetFacts& target);

// Compiles the kernel in a folder of its own, loads it and removes the folder.
LoadedKernel load_kernel(const KernelRequest& request, const TargetFacts& target, const std::string& records);

} // namespace lamina
