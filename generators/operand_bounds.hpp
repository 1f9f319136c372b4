// Whether a schedule keeps a kernel within its operands.
#pragma once

#include <Halide.h>

#include <string>

namespace lamina {

// Which operand the function of a module reaches outside of, and where, or "". The module must have been
// lowered with assertions; operands are judged as far as their shape is constrained.
std::string why_out_of_bounds(const Halide::Module& module, const std::string& function);

} // namespace lamina
