// Where buffers lie in one piece of memory that they share in turn.
#pragma once

#include <cstdint>
#include <span>

namespace lamina {

struct ArenaBuffer {
    std::int64_t bytes = 0;
    int first = 0, last = 0; // the calls between which, both included, its contents must stay
    std::int64_t offset = 0; // is set; a multiple of LAMINA_SCRATCH_ALIGNMENT
};

// Gives buffers offsets such that no two share bytes that must keep their contents at the same time; returns
// the bytes of the whole. The largest come first, each at the lowest place that is free for it, which is
// within a few percent of the least possible for networks (Pisarchyk and Lee, Efficient Memory Management for
// Deep Neural Net Inference, 2020: greedy by size).
std::int64_t place_in_arena(std::span<ArenaBuffer* const> buffers);

} // namespace lamina
