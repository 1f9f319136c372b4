// The command lines of both programs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace digits {

inline constexpr int exit_failed = 1, exit_usage = 2;

// An option with a value: a path, or a number of these limits.
struct Option {
    std::string_view name;
    std::filesystem::path* path = nullptr;
    std::int64_t* number = nullptr;
    std::int64_t least = 0, most = 0;
};

struct Parsed {
    std::vector<std::string> files; // what is no option, in its order
    bool wants_help = false;
    std::string error; // of usage
};

// Sets what the options point to.
Parsed parse_arguments(std::span<char*> arguments, std::span<const Option> options);

} // namespace digits
