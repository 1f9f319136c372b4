// Asks the C++ compiler for the layers of a network that a header describes.
#pragma once

#include "tools/command.hpp"

namespace lamina::tools {

struct Description {
    std::string lines;      // as parse_network() reads them
    std::string error;      // the compiler's words, or empty
    Exit code = exit_usage; // of the error: the header is wrong, or the machine could not be asked
};

// Compiles and runs a program that prints `variable`, a constexpr network in that header. The compiler is
// $CXX, or c++.
Description describe_network(const std::string& header, const std::string& variable);

} // namespace lamina::tools
