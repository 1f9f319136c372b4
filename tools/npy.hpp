#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace lamina::tools {

// What a .npy file holds, in C order: the last index is contiguous. NumPy's description of the format is
// numpy.lib.format.
struct Array {
    enum class Type { f32, i32 };

    Type type = Type::f32;
    std::vector<std::int64_t> shape; // empty: one number without dimensions
    std::vector<std::byte> data;     // 4 bytes an element, little-endian
};

struct LoadedArray {
    std::optional<Array> array;
    std::string error; // why there is no array: the file, what was found, what would be right
};

// Format versions 1, 2 and 3; '<f4' and '<i4' in C order. The file may be hostile: nothing is allocated that
// is larger than the file.
[[nodiscard]] LoadedArray read_npy(const std::filesystem::path& path);

// Format version 1, aligned as NumPy does it; whole or not at all. Returns "", or the reason, which names the
// path.
[[nodiscard]] std::string write_npy(const std::filesystem::path& path, const Array& array);

} // namespace lamina::tools
