#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lamina::tools {

// The dictionary of a .npy file, e.g. {'descr': '<f4', 'fortran_order': False, 'shape': (1, 56, 56, 64), }
struct NpyHeader {
    std::string descr;
    bool fortran_order = false;
    std::vector<std::int64_t> shape;
};

struct ParsedNpyHeader {
    std::optional<NpyHeader> header;
    std::string error; // why there is no header: what was found and what would be right
};

// Reads exactly this dictionary, its three keys in any order; no other Python. Trailing spaces and newlines
// are padding.
[[nodiscard]] ParsedNpyHeader parse_npy_header(std::string_view text);

// Without padding.
[[nodiscard]] std::string npy_header_text(const NpyHeader& header);

// Text from a foreign file, fit for a message: in quotes, cut short, without control characters.
[[nodiscard]] std::string in_quotes(std::string_view text);

} // namespace lamina::tools
