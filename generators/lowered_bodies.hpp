// Changes of what Halide has lowered, before it becomes machine code.
#pragma once

#include <Halide.h>

#include <functional>

namespace lamina {

// The same functions, each with the body that is made of it.
Halide::Module
with_bodies(const Halide::Module& module,
            const std::function<Halide::Internal::Stmt(const Halide::Internal::LoweredFunc&)>& body);

// Fetches the cache line of a buffer's float number `index` into the cache of that level, 1 or 2.
Halide::Internal::Stmt prefetch_line(const std::string& buffer, const Halide::Expr& index, int level);

// Loads of the module's outputs with no alignment but that of their elements, as callers may give. Halide 21
// looks for a load's alignment at its Parameter, which loads of an output have none of, and so takes an
// output for memory of its own, aligned to whole vectors; see CodeGen_LLVM::codegen_vector_load(). What
// gengen makes by itself, without compile_kernel(), has not gone through this.
Halide::Module with_unaligned_outputs(const Halide::Module& module);

} // namespace lamina
