// What a run of the tests is told by environment variables.
#pragma once

#include <cstdlib>
#include <string>

namespace lamina::testing {

// The variable's value, or "" where it is not set.
inline std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

inline int environment_number(const char* name, int otherwise) {
    const std::string value = environment(name);
    return value.empty() ? otherwise : std::atoi(value.c_str());
}

} // namespace lamina::testing
