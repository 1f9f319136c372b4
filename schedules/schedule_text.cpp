#include "schedules/schedule_text.hpp"

#include "lamina/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lamina {

namespace {

auto find(const std::vector<std::pair<std::string, int>>& values, std::string_view name) {
    return std::find_if(values.begin(), values.end(), [&](const auto& entry) { return entry.first == name; });
}

} // namespace

int Knobs::get(std::string_view name, int otherwise) const {
    const auto entry = find(values_, name);
    return entry == values_.end() ? otherwise : entry->second;
}

bool Knobs::has(std::string_view name) const {
    return find(values_, name) != values_.end();
}

void Knobs::set(std::string_view name, int value) {
    const auto entry = find(values_, name);
    if (entry == values_.end())
        values_.emplace_back(name, value);
    else
        values_[static_cast<std::size_t>(entry - values_.begin())].second = value;
}

ScheduleText parse_schedule(std::string_view text) {
    ScheduleText schedule;
    for (bool is_first = true; is_first || !text.empty(); is_first = false) {
        const std::size_t comma = text.find(',');
        const std::string_view word = text.substr(0, comma);
        text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
        if (is_first) {
            schedule.family = word;
            continue;
        }
        const std::size_t colon = word.find(':');
        const ParsedInt value =
            colon == std::string_view::npos ? ParsedInt{} : parse_int(word.substr(colon + 1));
        if (!value.ok || colon == 0)
            schedule.error =
                fmt::format("schedule: {} is not of the form knob:number", in_quotes(word).view());
        else if (schedule.knobs.has(word.substr(0, colon)))
            schedule.error =
                fmt::format("schedule: knob {} is given twice", in_quotes(word.substr(0, colon)).view());
        else
            schedule.knobs.set(word.substr(0, colon), value.value);
        if (!schedule.error.empty())
            break;
    }
    return schedule;
}

std::string to_text(std::string_view family, const Knobs& knobs) {
    std::string text(family);
    for (const auto& [name, value] : knobs.values())
        text += fmt::format(",{}:{}", name, value);
    return text;
}

} // namespace lamina
