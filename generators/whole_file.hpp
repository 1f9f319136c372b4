#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace lamina {

using Bytes = std::span<const std::byte>;

// Replaces the file at `path` by these bytes, whole or not at all: whoever opens it meanwhile, or after a
// crash or a full disk, finds the old file or the new one. A link is followed. A device or a pipe, which
// cannot be replaced, is written to directly. Returns "", or the reason, which names the path.
[[nodiscard]] std::string write_whole_file(const std::filesystem::path& path, Bytes bytes);

// The same for a file whose parts lie apart in memory.
[[nodiscard]] std::string write_whole_file(const std::filesystem::path& path, std::span<const Bytes> parts);

struct NamedBytes {
    std::filesystem::path path;
    Bytes bytes;
};

// The same for several regular files: none is replaced where there is no room for another.
[[nodiscard]] std::string write_whole_files(std::span<const NamedBytes> files);

// What write_whole_file would say now, or "": for asking before long work. Leaves every file as it is.
[[nodiscard]] std::string why_unwritable(const std::filesystem::path& path);

// Removes from `folder` what writers left that were killed: temporary files of processes that are no more.
// Nobody may write there meanwhile on another machine, whose processes are not known here: a lock keeps them
// out.
void remove_abandoned_files(const std::filesystem::path& folder);

} // namespace lamina
