#include "schedules/family.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lamina {

std::span<const Family* const> family_table() {
    static constexpr const Family* table[] = {&direct_family,   &depthwise_family,    &pool_family,
                                              &gpu_tile_family, &generic_family,      &adams2019_family,
                                              &li2018_family,   &mullapudi2016_family};
    return table;
}

std::span<const Family* const> default_families() {
    return family_table().first(5);
}

const Family* find_family(std::string_view name) {
    for (const Family* family : family_table())
        if (family->name == name)
            return family;
    return nullptr;
}

std::string why_illegal(const Family& family, const Situation& situation, const Knobs& knobs) {
    for (const auto& [given, value] : knobs.values()) {
        const std::string_view name = given; // which a lambda may capture
        const auto known = std::find_if(family.knobs.begin(), family.knobs.end(),
                                        [&](const Knob& knob) { return knob.name == name; });
        if (known != family.knobs.end())
            continue;
        std::string names;
        for (const Knob& knob : family.knobs)
            names += fmt::format("{}{}", names.empty() ? "" : ", ", knob.name);
        return fmt::format("{}: unknown knob '{}'; it has {}", family.name, name,
                           names.empty() ? "none" : names);
    }
    std::string reason = family.fits(situation);
    if (reason.empty())
        reason = family.legal(situation, knobs);
    return reason.empty() ? reason : fmt::format("{}: {}", family.name, reason);
}

} // namespace lamina
