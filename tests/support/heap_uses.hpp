// Counts this thread's uses of the heap, where nothing else stands in front of the C library's allocation.
#pragma once

namespace lamina::testing {

// Since the program began; always 0 where they cannot be counted.
int heap_uses();
bool counts_heap_uses();

} // namespace lamina::testing
