// The lowered loop nest of a kernel, for lamina explain.
#pragma once

#include "generators/compile.hpp"

namespace lamina::tools {

// Writes the whole lowered code to `path`, as text or for a browser, or nothing; returns what went wrong.
std::string save_nest(const KernelRequest& request, const Choice& choice, const TargetFacts& target,
                      const std::string& path);

// The lowered code's allocations and loops, which show the nest without its arithmetic.
struct NestOutline {
    std::vector<std::string> lines;
    std::string error;
};
NestOutline outline_nest(const KernelRequest& request, const Choice& choice, const TargetFacts& target);

} // namespace lamina::tools
