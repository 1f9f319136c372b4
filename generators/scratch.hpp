// How many bytes a lowered kernel takes from its call's scratch.
#pragma once

#include <Halide.h>

namespace lamina {

struct ScratchUse {
    std::size_t serial = 0;     // outside parallel loops
    std::size_t per_thread = 0; // inside them
    std::string error;          // names an allocation whose size is not known before the call
};

ScratchUse scratch_use(const Halide::Module& module, const std::string& function);

} // namespace lamina
