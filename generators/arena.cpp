#include "generators/arena.hpp"

#include "lamina/scratch.hpp"

#include <algorithm>
#include <vector>

namespace lamina {

namespace {

bool are_alive_together(const ArenaBuffer& a, const ArenaBuffer& b) {
    return a.first <= b.last && b.first <= a.last;
}

std::int64_t aligned(std::int64_t bytes) {
    return static_cast<std::int64_t>(detail::scratch_aligned(static_cast<std::size_t>(bytes)));
}

// The lowest offset at which the buffer meets none of those that lie already, sorted by offset.
std::int64_t lowest_place(const ArenaBuffer& buffer, const std::vector<const ArenaBuffer*>& placed) {
    std::int64_t offset = 0;
    for (const ArenaBuffer* other : placed) {
        if (!are_alive_together(buffer, *other))
            continue;
        if (offset + aligned(buffer.bytes) <= other->offset)
            break;
        offset = std::max(offset, other->offset + aligned(other->bytes));
    }
    return offset;
}

} // namespace

std::int64_t place_in_arena(std::span<ArenaBuffer* const> buffers) {
    std::vector<ArenaBuffer*> by_size(buffers.begin(), buffers.end());
    std::ranges::stable_sort(by_size, std::ranges::greater(), &ArenaBuffer::bytes);
    std::vector<const ArenaBuffer*> placed;
    std::int64_t end = 0;
    for (ArenaBuffer* buffer : by_size) {
        buffer->offset = lowest_place(*buffer, placed);
        end = std::max(end, buffer->offset + aligned(buffer->bytes));
        placed.insert(std::ranges::upper_bound(placed, buffer->offset, {}, &ArenaBuffer::offset), buffer);
    }
    return end;
}

} // namespace lamina
