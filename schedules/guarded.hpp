// Where exceptions become values.
#pragma once

#include <Halide.h>

#include <string>

namespace lamina {

// Runs `work`, which returns what went wrong or "", and makes Halide's and the library's exceptions such a
// text too. Halide's errors derive from nothing.
template <class Work>
std::string guarded(const Work& work) {
    try {
        return work();
    } catch (const Halide::Error& error) {
        return error.what();
    } catch (const std::exception& error) {
        return error.what();
    }
}

} // namespace lamina
