// Allocation by `new` that fails when a test says so.
#pragma once

namespace lamina::testing {

// So many allocations of this thread succeed, then one fails; negative: none does.
extern thread_local int allocations_left;

} // namespace lamina::testing
