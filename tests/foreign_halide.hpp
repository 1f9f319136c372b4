// Halide hooks of "another library" in the process, installed before Lamina's first call.
#pragma once

#include <atomic>
#include <string>

namespace lamina::test {

struct ForeignHooks {
    std::atomic<int> mallocs{0}, frees{0}, errors{0}, prints{0}, loops{0};
    std::string last_error;
};

ForeignHooks& foreign_hooks();

} // namespace lamina::test
