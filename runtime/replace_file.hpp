// Files that are replaced whole or not at all.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace lamina::detail {

// An open file that nobody else holds; closed on every way out.
class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { close(); }

    bool is_open() const { return number_ >= 0; }
    int number() const { return number_; }
    // Some file systems report a full disk only here.
    bool close();

private:
    int number_;
};

// Replaces the regular file at `path`, or makes it, by these parts: whoever opens it meanwhile, or after a
// crash or a full disk, finds the old file or the new one. A link is followed. Returns "" or the reason.
// Throws std::bad_alloc, having changed nothing.
[[nodiscard]] std::string replace_file(const char* path, std::span<const std::span<const std::byte>> parts);

// What errno says.
[[nodiscard]] std::string error_text(int error_number);

inline constexpr const char* not_regular = "is not a regular file";

} // namespace lamina::detail
