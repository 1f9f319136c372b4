// What must hold for any bytes as a file of weights; for the fuzzer, and for the ordinary tests on its seeds.
#pragma once

#include "lamina/weights.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <span>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

namespace lamina::testing {

inline constexpr Parameter any_parameters[] = {
    {"c.kernel", {1, 1, 2, 3}, 0},
    {"c.bias", {3}, 8},
};
inline constexpr std::size_t any_weight_count = 12; // of which 6, 7 and 11 belong to nobody

// A file in memory.
class MemoryFile {
public:
    MemoryFile() : number_(memfd_create("weights", MFD_CLOEXEC)) {}
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    ~MemoryFile() { ::close(number_); }

    bool holds(std::span<const std::byte> bytes) const {
        return ::ftruncate(number_, 0) == 0 &&
               ::pwrite(number_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
    }
    std::string path() const { return "/proc/self/fd/" + std::to_string(number_); }

private:
    int number_;
};

// Loads the bytes. Aborts where a failure has no reason or has changed a weight, or where what was loaded is
// not in the file or fell into a gap.
inline Status use_weights(std::span<const std::byte> bytes) {
    static const MemoryFile file;
    if (!file.holds(bytes))
        std::abort();
    std::array<float, any_weight_count> weights;
    weights.fill(0.125F);
    const auto before = weights;
    const Status status = load_weights(file.path().c_str(), weights, any_parameters);
    const bool is_as_before =
        std::ranges::equal(std::as_bytes(std::span(weights)), std::as_bytes(std::span(before)));
    if (!status && (status.message().empty() || !is_as_before))
        std::abort();
    if (weights[6] != 0.125F || weights[7] != 0.125F || weights[11] != 0.125F)
        std::abort();
    for (const Parameter& parameter : any_parameters) {
        const auto values = std::as_bytes(std::span(weights).subspan(
            parameter.offset, static_cast<std::size_t>(parameter.shape.product())));
        if (status && std::search(bytes.begin(), bytes.end(), values.begin(), values.end()) == bytes.end())
            std::abort();
    }
    return status;
}

} // namespace lamina::testing
