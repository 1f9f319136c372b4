#include "schedules/choice.hpp"

#include "schedules/guarded.hpp"
#include "schedules/nests.hpp"
#include "schedules/records.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lamina {

namespace {

Knobs completed(const Family& family, const Situation& situation, const Knobs& given) {
    Knobs knobs = family.defaults(situation, given);
    for (const auto& [name, value] : given.values())
        knobs.set(name, value);
    return knobs;
}

std::string family_names() {
    std::string names;
    for (const Family* family : family_table())
        names += fmt::format("{}{}", names.empty() ? "" : ", ", family->name);
    return names;
}

// Defaults are computed from the knobs that are given, so that a tile of no positions, say, is refused first.
std::string why_below_all(const Family& family, const Situation& situation, const Knobs& given) {
    for (const Knob& knob : family.knobs) {
        const std::vector<int> values = knob.values(situation);
        const int least = values.empty() ? 1 : std::min(values.front(), 1);
        if (given.has(knob.name) && given.get(knob.name) < least)
            return fmt::format("{}: {}:{}: must be at least {}", family.name, knob.name, given.get(knob.name),
                               least);
    }
    return "";
}

Choice from_text(const Situation& situation, std::string_view text, std::string reason) {
    const ScheduleText schedule = parse_schedule(text);
    if (!schedule.error.empty())
        return {.error = schedule.error};
    const Family* family = find_family(schedule.family);
    if (!family)
        return {.error = fmt::format("schedule: unknown family {}; known are {}",
                                     in_quotes(schedule.family).view(), family_names())};
    if (const std::string reason_not = why_unfit(*family, situation); !reason_not.empty())
        return {.error = fmt::format("{}: {}", family->name, reason_not)};
    if (std::string error = why_below_all(*family, situation, schedule.knobs); !error.empty())
        return {.error = std::move(error)};
    Knobs knobs = completed(*family, situation, schedule.knobs);
    for (const Knob& knob : family->knobs)
        if (!knobs.has(knob.name))
            return {.error =
                        fmt::format("{}: its defaults leave out the knob '{}'", family->name, knob.name)};
    if (std::string error = why_illegal(*family, situation, knobs); !error.empty())
        return {.error = std::move(error)};
    return {family, std::move(knobs), std::move(reason), {}};
}

Choice analytic_default(const Situation& situation) {
    for (const Family* family : default_families())
        if (why_unfit(*family, situation).empty() &&
            (!family->is_preferred || family->is_preferred(situation)))
            return {family,
                    family->defaults(situation, {}),
                    fmt::format("analytic default of {} for {}", family->name, situation.target->name),
                    {}};
    return {.error = fmt::format("no family schedules {} on {}", facts(situation.problem.op).name,
                                 situation.target->name)};
}

Choice choose(const Situation& situation, const std::string& text, const std::string& records) {
    if (!text.empty())
        return from_text(situation, text, "given by the user");
    Choice usual = analytic_default(situation);
    if (!records.empty()) {
        const RecordFile file = load_records(records_path(records, *situation.target));
        for (const RecordMatch& match : matching_records(file, situation)) {
            Choice choice = from_text(situation, match.record->schedule, match.reason);
            if (choice.error.empty() && (match.is_own || choice.family == usual.family))
                return choice;
        }
    }
    return usual;
}

// No masked loads here: packing a flipped kernel runs backwards, and Halide 21 fails on masked loads of that
// direction.
void vectorize_packing(Halide::Func& packed, const Halide::Var& along, int run, const Situation& situation) {
    if (run > 1) {
        const Halide::Var inner("inner");
        packed.split(along, along, inner, run, Halide::TailStrategy::RoundUp)
            .vectorize(inner, full_lanes_for(*situation.target, run));
        return;
    }
    const auto elements = static_cast<int>(kernel_operand(situation.problem).elements());
    const int lanes = full_lanes_for(*situation.target, elements);
    if (lanes > 1)
        packed.vectorize(along, lanes, Halide::TailStrategy::ShiftInwards);
}

} // namespace

Choice choose_schedule(const Situation& situation, const std::string& text, const std::string& records) {
    Choice choice;
    std::string error = guarded([&] {
        choice = choose(situation, text, records);
        return std::string();
    });
    return error.empty() ? choice : Choice{.error = std::move(error)};
}

void apply_schedule(const Choice& choice, Stages& algorithm, const Situation& situation) {
    choice.family->apply(algorithm, situation, choice.knobs);
    if (algorithm.packed_kernel.defined()) {
        algorithm.packed_kernel.compute_root();
        vectorize_packing(algorithm.packed_kernel, algorithm.packed_kernel.args()[0], algorithm.packed_run,
                          situation);
    }
}

void schedule_packing(Stages& algorithm, const Situation& situation) {
    vectorize_packing(algorithm.output, algorithm.c, algorithm.packed_run, situation);
}

} // namespace lamina
