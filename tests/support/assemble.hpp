// Object files from assembly text, of either architecture on any machine.
#pragma once

#include "tuner/object_code.hpp"

namespace lamina::testing {

// Intel's syntax on x86. Throws std::runtime_error for what is no assembly.
std::string assemble(Architecture architecture, const std::string& text);

// The same for the body of a function `kernel`.
std::string assemble_function(Architecture architecture, const std::string& body);

} // namespace lamina::testing
