// The typed header of a library of kernels: C functions, and C++ ones around them.
#pragma once

#include "generators/compile.hpp"

namespace lamina {

// C++ that follows the kernels' functions, in the same namespace.
struct FurtherCode {
    std::string includes, text;
};

// `targets` as CompileOptions has them.
std::string header_text(const std::string& library, const std::vector<CompiledKernel>& kernels,
                        const std::vector<const TargetFacts*>& targets, const FurtherCode& further);

} // namespace lamina
