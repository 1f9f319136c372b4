// The C++ compiler for what users describe in C++: $CXX, or c++.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace lamina::tools {

// Where Lamina's headers lie, in the order in which they are looked for.
std::vector<std::filesystem::path> include_folders();

// The compiler and the options that every compilation gets; sources, outputs and more come behind.
std::vector<std::string> compiler_command();

// What sources that include Halide's headers are compiled with besides.
std::vector<std::string> halide_options();

// What a compiler said, cut to what fits on a screen.
std::string shortened(const std::string& said);

} // namespace lamina::tools
