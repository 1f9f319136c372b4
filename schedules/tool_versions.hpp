// The packages that a schedule's worth depends on, as records name them, and which of them a record outlives.
#pragma once

#include <string>
#include <string_view>

namespace lamina {

// Of this program, e.g. "Halide 21.0.0".
std::string tool_versions();

// Why a record that was made with `versions` says nothing here, or "". A major version of Halide may lower a
// schedule to other loops; within one it does not. Versions that name no Halide fit: a record by hand.
std::string why_outdated(std::string_view versions);

} // namespace lamina
