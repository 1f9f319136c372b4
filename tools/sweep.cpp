#include "tools/sweep.hpp"

#include "lamina/text.hpp"
#include "schedules/schedule_text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace lamina::tools {

namespace {

constexpr std::size_t most_combinations = 10'000;

std::vector<std::string> split(const std::string& text, char at) {
    std::vector<std::string> parts;
    std::size_t begin = 0;
    for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
        end = text.find(at, begin);
        parts.push_back(text.substr(begin, end == std::string::npos ? end : end - begin));
    }
    return parts;
}

std::optional<int> number(const std::string& text) {
    int value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data(), end, value);
    return code == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

// The values that one comma-separated part stands for; none where it is wrong.
std::vector<std::string> values_of(const std::string& part) {
    if (number(part))
        return {part};
    const std::size_t dots = part.find("..");
    if (dots == std::string::npos)
        return {};
    const std::optional<int> first = number(part.substr(0, dots)), last = number(part.substr(dots + 2));
    std::vector<std::string> values;
    if (first && last && *last - static_cast<long>(*first) < static_cast<long>(most_combinations))
        for (int value = *first; value <= *last; ++value)
            values.push_back(std::to_string(value));
    return values;
}

} // namespace

Sweep parse_sweep(const std::vector<std::string>& texts) {
    Sweep sweep;
    std::size_t combinations = 1;
    for (const std::string& text : texts) {
        const std::size_t equals = text.find('=');
        SweptKnob knob{text.substr(0, equals), {}};
        if (equals != std::string::npos && equals > 0)
            for (const std::string& part : split(text.substr(equals + 1), ',')) {
                const std::vector<std::string> values = values_of(part);
                if (values.empty()) {
                    knob.values.clear();
                    break;
                }
                knob.values.insert(knob.values.end(), values.begin(), values.end());
            }
        if (knob.values.empty())
            return {{},
                    fmt::format("--sweep {}: expected KNOB=VALUE,VALUE,... or KNOB=FIRST..LAST",
                                in_quotes(text).view())};
        combinations *= knob.values.size();
        if (combinations > most_combinations)
            return {{}, fmt::format("--sweep: more than {} combinations", most_combinations)};
        sweep.knobs.push_back(std::move(knob));
    }
    return sweep;
}

std::string knob_value(const std::string& schedule, const std::string& knob) {
    for (const std::string& part : split(schedule, ','))
        if (part.starts_with(knob + ":"))
            return part.substr(knob.size() + 1);
    return "";
}

std::vector<std::string> swept_schedules(const std::string& schedule, const Sweep& sweep) {
    std::string base;
    for (const std::string& part : split(schedule, ',')) {
        bool is_swept = false;
        for (const SweptKnob& knob : sweep.knobs)
            is_swept = is_swept || part.starts_with(knob.name + ":");
        if (!is_swept)
            base += (base.empty() ? "" : ",") + part;
    }
    std::vector<std::string> schedules{base};
    for (const SweptKnob& knob : sweep.knobs) {
        std::vector<std::string> longer;
        for (const std::string& start : schedules)
            for (const std::string& value : knob.values)
                longer.push_back(fmt::format("{},{}:{}", start, knob.name, value));
        schedules = std::move(longer);
    }
    return schedules;
}

} // namespace lamina::tools
