// A folder of files that can be made again: $XDG_CACHE_HOME/lamina, or ~/.cache/lamina.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace lamina::tools {

// A name for whatever was added, in this order: another one for other text (FNV-1a, 64 bits).
class Digest {
public:
    void add(std::string_view text);
    std::string text() const; // 16 hexadecimal digits

private:
    std::uint64_t value_ = 0xcbf29ce484222325;
};

// Adds a C++ source and whatever it includes that lies beside it or in one of the folders. Returns what went
// wrong, or "".
std::string add_source(Digest& digest, const std::filesystem::path& source,
                       const std::vector<std::filesystem::path>& include_folders);

// The place of the file of that name in the cache, which is made where it is missing. Empty where there can
// be none, or where others may write, since what lies there is run.
std::filesystem::path cached_path(const std::string& name);

} // namespace lamina::tools
