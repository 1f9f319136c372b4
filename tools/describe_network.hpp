// Asks the C++ compiler for the layers of a network that a header describes.
#pragma once

#include <string>

namespace lamina::tools {

struct Description {
    std::string lines; // NAME: PROBLEM
    std::string error; // the compiler's words, or empty
};

// Compiles and runs a program that prints `variable`, a constexpr network in that header. The compiler is
// $CXX, or c++.
Description describe_network(const std::string& header, const std::string& variable);

} // namespace lamina::tools
