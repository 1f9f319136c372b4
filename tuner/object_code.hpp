// The functions of a compiled object file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lamina {

enum class Architecture { x86_64, arm_64 };

struct CodeFunction {
    std::string name;
    std::vector<std::uint8_t> code; // not yet relocated
};

struct ObjectCode {
    Architecture architecture{};
    std::vector<CodeFunction> functions;
    std::string error; // why there are no functions, or empty
};

// Reads the bytes of an ELF object for x86-64 or arm-64. What is damaged, truncated or of another kind is an
// error.
ObjectCode read_object_code(std::string_view object);

// A file's bytes, "" where it cannot be read.
std::string file_bytes(const std::string& path);

} // namespace lamina
