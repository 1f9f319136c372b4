#include "schedules/family.hpp"

#include "lamina/name.hpp"
#include "lamina/operands.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lamina {

namespace {

constexpr std::array unasked{&dot_family,
                             &phases_family,
                             &winograd_family,
                             &direct_family,
                             &depthwise_family,
                             &pool_family,
                             &pool_gradient_family,
                             &depthwise_kernel_gradient_family,
                             &pointwise_kernel_gradient_family,
                             &kernel_gradient_family,
                             &global_pool_family,
                             &separable_family,
                             &pooled_family,
                             &gpu_tile_family,
                             &elementwise_family,
                             &generic_family};
constexpr std::array baselines{&adams2019_family, &li2018_family, &mullapudi2016_family};

// Fixed in size, so that what family_table() has returned stays valid.
struct Table {
    std::array<const Family*, 128> rows{};
    std::size_t count = unasked.size() + baselines.size();

    Table() { std::ranges::copy(baselines, std::ranges::copy(unasked, rows.begin()).out); }
};

Table& table() {
    static Table the_table;
    return the_table;
}

std::string why_no_knob(const Family& family, const Knob& knob) {
    if (!detail::is_c_identifier(knob.name))
        return fmt::format("knob {}: its name must be a C identifier", in_quotes(knob.name).view());
    if (!knob.values)
        return fmt::format("knob {}: no function gives its values", knob.name);
    const auto is_namesake = [&](const Knob& other) { return other.name == knob.name; };
    if (std::count_if(family.knobs.begin(), family.knobs.end(), is_namesake) > 1)
        return fmt::format("knob {}: there are two of that name", knob.name);
    return "";
}

std::string why_no_family(const Family& family) {
    if (!detail::is_c_identifier(family.name))
        return "its name must be a C identifier";
    for (const Knob& knob : family.knobs)
        if (std::string reason = why_no_knob(family, knob); !reason.empty())
            return reason;
    const std::pair<const char*, bool> functions[] = {{"legal", family.legal != nullptr},
                                                      {"defaults", family.defaults != nullptr},
                                                      {"fits", family.fits != nullptr},
                                                      {"request", family.request != nullptr},
                                                      {"apply", family.apply != nullptr}};
    for (const auto& [name, is_there] : functions)
        if (!is_there)
            return fmt::format("it has no function `{}`", name);
    if (find_family(family.name))
        return "there is a family of that name already";
    if (table().count == table().rows.size())
        return fmt::format("there are {} families already, the most that can be", table().count);
    return "";
}

} // namespace

std::span<const Family* const> family_table() {
    return {table().rows.data(), table().count};
}

std::span<const Family* const> default_families() {
    return family_table().first(unasked.size());
}

const Family* find_family(std::string_view name) {
    for (const Family* family : family_table())
        if (family->name == name)
            return family;
    return nullptr;
}

std::string add_family(const Family& family) {
    if (const std::string reason = why_no_family(family); !reason.empty())
        return fmt::format("family {}: {}", in_quotes(family.name).view(), reason);
    table().rows[table().count++] = &family;
    return "";
}

std::string why_unfit(const Family& family, const Situation& situation) {
    std::string reason = family.fits(situation);
    if (reason.empty() && may_be_in_place(situation.problem) && !family.computes_once)
        reason = "an output may be an input's memory, but it may compute elements twice";
    return reason;
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
        return fmt::format("{}: unknown knob {}; it has {}", family.name, in_quotes(name).view(),
                           names.empty() ? "none" : names);
    }
    std::string reason = why_unfit(family, situation);
    if (reason.empty())
        reason = family.legal(situation, knobs);
    return reason.empty() ? reason : fmt::format("{}: {}", family.name, reason);
}

} // namespace lamina
