// The memory that a lowered kernel allocates, and how many bytes of it come from its call's scratch.
#pragma once

#include <Halide.h>

namespace lamina {

enum class MemoryKind : std::uint8_t {
    registers, // every access is at a constant index, so that LLVM uses registers, as far as they go
    stack,
    scratch,
};

struct Allocation {
    std::string name;
    std::size_t bytes = 0; // at most
    MemoryKind kind{};
    bool is_per_thread = false; // in a parallel loop
};

struct ScratchUse {
    std::vector<Allocation> allocations; // in the order of the code
    std::size_t serial = 0;              // outside parallel loops
    std::size_t per_thread = 0;          // inside them
    std::string error;                   // names an allocation whose size is not known before the call
};

ScratchUse scratch_use(const Halide::Module& module, const std::string& function);

} // namespace lamina
