// The loop of a compiled kernel in which it spends its time, and what that loop holds.
#pragma once

#include "tuner/object_code.hpp"

#include <optional>

namespace lamina {

// Instructions of one turn, except where said otherwise.
struct LoopCounts {
    int multiply_adds = 0; // fused ones and dot products; where there are none, pairs of multiply and add
    int products = 0;      // elements that these multiply and add
    int arithmetic = 0;    // additions, multiplications, maxima, ... of floats or vectors
    int arithmetic_elements = 0; // that these compute
    int loads = 0, stores = 0;   // an instruction that does both counts in both
    int spills = 0;              // of these, through the stack's or the frame's pointer
    int plain_stores = 0;        // stores that are none of them
    int broadcasts = 0;          // of one element to a whole vector, also where an operand says so ({1to16})
};

struct LoopLine {
    std::size_t offset; // bytes from the function's start
    std::string text;
};

struct HotLoop {
    Architecture architecture{};
    std::string function;
    std::vector<LoopLine> lines;    // as assemblers write them, Intel's syntax on x86
    std::vector<std::uint8_t> code; // of the lines
    LoopCounts counts;
};

struct HotLoopSearch {
    std::optional<HotLoop> loop;
    std::string reason; // why there is none, or empty
};

// Of the innermost loops of an object's functions, the one that multiplies and adds the most elements in a
// turn, one that stores none of what it sums before one that does; of those that multiply and add none, the
// one with the most arithmetic. A function's name limits the
// search to it and the parallel loops that Halide cuts out of it.
HotLoopSearch find_hot_loop(std::string_view object, std::string_view function = "");

} // namespace lamina
