// The head of a safetensors file: 8 bytes with the length of a header, little-endian; the header, a JSON
// object of the tensors' types, shapes and places, which may end in blanks; behind them the data, row-major,
// each byte of which belongs to exactly one tensor.
#pragma once

#include "weights_table.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lamina::detail {

inline constexpr std::size_t length_size = 8;          // bytes before the header
inline constexpr std::size_t max_header = 100'000'000; // bytes, as the reference implementation has it

// Both of these throw nothing but std::bad_alloc.

// The header for these parameters, whose data follow each other in the table's order; with the 8 bytes before
// it, its size is a multiple of 8.
struct WrittenHeader {
    std::string text;
    MaybeRefusal refusal;
};
WrittenHeader write_header(std::span<const Parameter> parameters);

// Where the data of each parameter begin, in bytes behind the header; or why it is not the header of a file
// that holds these parameters, nothing else, and `data_size` bytes behind it.
struct ReadHeader {
    std::vector<std::size_t> begins;
    MaybeRefusal refusal;
};
ReadHeader read_header(std::string_view text, std::span<const Parameter> parameters, std::size_t data_size);

} // namespace lamina::detail
