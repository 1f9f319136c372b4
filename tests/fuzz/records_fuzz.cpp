// Any bytes as a records file: parsed, matched with problems, and chosen from, for libFuzzer. See docs/tuning.md.
#include "schedules/choice.hpp"
#include "schedules/records.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace lamina;
    const RecordFile file = parse_records({reinterpret_cast<const char*>(data), size}, "fuzz.json");
    for (const Record& record : file.records)
        for (const TargetFacts& target : target_table()) {
            const Situation situation{parse_problem(record.problem).problem, &target};
            for (const RecordMatch& match : matching_records(file, situation))
                (void)choose_schedule(situation, match.record->schedule, "");
        }
    return 0;
}
