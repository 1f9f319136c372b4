// How a call's scratch is divided. The generator, which states what a kernel needs, and the runtime, which
// hands it out, both count with these.
#pragma once

#include "lamina/runtime.h"

#include <cstddef>
#include <cstdint>

namespace lamina::detail {

inline constexpr std::size_t scratch_alignment = LAMINA_SCRATCH_ALIGNMENT;

// Before every block: Halide reads up to 8 bytes past either end, and the runtime keeps its header there.
inline constexpr std::size_t scratch_margin = 64;

constexpr std::size_t scratch_sum(std::size_t a, std::size_t b) {
    return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

constexpr std::size_t scratch_aligned(std::size_t bytes) {
    return bytes > SIZE_MAX - scratch_alignment
               ? SIZE_MAX / scratch_alignment * scratch_alignment
               : (bytes + scratch_alignment - 1) / scratch_alignment * scratch_alignment;
}

// What an allocation of that many bytes takes: itself, a margin behind it, and the next block's header.
constexpr std::size_t scratch_block_size(std::size_t bytes) {
    return scratch_aligned(scratch_sum(bytes, 2 * scratch_margin));
}

// What a stack of blocks takes that are live at the same time, given the sum of their scratch_block_size():
// the first block's header comes on top.
constexpr std::size_t scratch_stack_size(std::size_t block_sizes) {
    return block_sizes == 0 ? 0 : scratch_sum(block_sizes, scratch_alignment);
}

} // namespace lamina::detail
