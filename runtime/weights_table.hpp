// What tables of parameters must be, and what they hold.
#pragma once

#include "lamina/weights.hpp"
#include "refusal.hpp"

namespace lamina::detail {

// Its values, 0 where its shape is none.
inline std::size_t value_count(const Parameter& parameter) {
    return static_cast<std::size_t>(parameter.shape.product());
}

inline bool lies_within(const Parameter& parameter, std::size_t weights) {
    const std::size_t count = value_count(parameter);
    return count > 0 && parameter.offset <= weights && count <= weights - parameter.offset;
}

// Refuses a table whose parameters do not lie within so many weights or share values. Throws std::bad_alloc.
MaybeRefusal check_table(std::span<const Parameter> parameters, std::size_t weights);

} // namespace lamina::detail
