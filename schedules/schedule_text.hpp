// A schedule's text, `family,knob:value,...`: what the command line, records and generator params hold.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lamina {

// The values of a family's knobs. Small and ordered as given; every knob appears at most once.
class Knobs {
public:
    Knobs() = default;
    Knobs(std::initializer_list<std::pair<std::string, int>> values) : values_(values) {}

    // The value, or `otherwise` where the knob is not set.
    int get(std::string_view name, int otherwise = 0) const;
    bool has(std::string_view name) const;
    void set(std::string_view name, int value);
    const std::vector<std::pair<std::string, int>>& values() const { return values_; }
    friend bool operator==(const Knobs&, const Knobs&) = default;

private:
    std::vector<std::pair<std::string, int>> values_;
};

struct ScheduleText {
    std::string family;
    Knobs knobs;
    std::string error; // what is wrong with the text, or empty
};

ScheduleText parse_schedule(std::string_view text);
std::string to_text(std::string_view family, const Knobs& knobs);

} // namespace lamina
