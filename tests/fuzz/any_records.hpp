// What must hold for any bytes as a records file; for the fuzzer, and for the ordinary tests on its seeds.
#pragma once

#include "schedules/choice.hpp"
#include "schedules/records.hpp"

namespace lamina::testing {

// Parses the text and chooses schedules by it; returns how many records it held.
inline std::size_t use_records(std::string_view text) {
    const RecordFile file = parse_records(text, "any.json");
    for (const Record& record : file.records)
        for (const TargetFacts& target : target_table()) {
            const Situation situation{parse_problem(record.problem).problem, &target};
            for (const RecordMatch& match : matching_records(file, situation))
                (void)choose_schedule(situation, match.record->schedule, "");
        }
    return file.records.size();
}

} // namespace lamina::testing
