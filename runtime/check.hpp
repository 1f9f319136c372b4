// What must hold of the operands before a kernel may touch them.
#pragma once

#include "refusal.hpp"

#include <span>

namespace lamina::detail {

// A generated description that this runtime cannot call.
MaybeRefusal check_kernel(const lamina_kernel& kernel);

// All operands, by themselves and against each other.
MaybeRefusal check_operands(const lamina_kernel& kernel, const lamina_view* views, std::int32_t count);

// A view's type, rank, shape and, for data in memory, pointer, strides and alignment against what is
// expected.
MaybeRefusal check_view(const lamina_operand& expected, const lamina_view& view);

// Its type and shape alone.
MaybeRefusal check_form(const lamina_operand& expected, const lamina_view& view);

// Of a view that passed check_form().
std::int64_t element_count(const lamina_view& view);

} // namespace lamina::detail
