#include "schedules/tool_versions.hpp"

#include "lamina/text.hpp"

#include <Halide.h>
#include <fmt/format.h>

namespace lamina {

std::string tool_versions() {
    return fmt::format("Halide {}.{}.{}", HALIDE_VERSION_MAJOR, HALIDE_VERSION_MINOR, HALIDE_VERSION_PATCH);
}

std::string why_outdated(std::string_view versions) {
    constexpr std::string_view name = "Halide ";
    const std::size_t begin = versions.find(name);
    if (begin == versions.npos)
        return "";
    std::string_view major = versions.substr(begin + name.size());
    major = major.substr(0, major.find_first_not_of("0123456789"));
    if (major.empty() || major == std::to_string(HALIDE_VERSION_MAJOR))
        return "";
    return fmt::format("it was made with {}, and this is {}", in_quotes(versions).view(), tool_versions());
}

} // namespace lamina
