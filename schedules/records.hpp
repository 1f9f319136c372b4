// Schedule records: what tuning found, kept as data. One JSON file per target holds a list of records, one a
// line.
#pragma once

#include "schedules/family.hpp"

namespace lamina {

// Where a record's figures come from.
struct Evidence {
    double gflops = 0;
    double fraction_of_peak = 0; // of the multiply-add peak measured in the same run
    double over_default = 0;     // the analytic default's time over this schedule's; 0 where nobody compared
    std::string cpu, versions, date, by;
};

struct Record {
    std::string problem;  // canonical text
    std::string schedule; // family,knob:value,...
    Evidence evidence;
};

// A record that could be read, but that the look-up does not use.
struct OutdatedRecord {
    Record record;
    std::string reason;
};

struct RecordFile {
    std::string path;
    std::vector<Record> records; // what the look-up uses
    std::vector<OutdatedRecord> outdated;
    std::vector<std::string> unreadable; // entries, or the file, by name and with the reason

    // On all that is ignored, by name and with the reason.
    std::vector<std::string> warnings() const;
};

std::string records_path(const std::string& folder, const TargetFacts& target);

// A file that does not exist holds no records; one that cannot be read gives a warning and no records.
RecordFile load_records(const std::string& path);

// The same for a file's text. Whatever the text is, it costs no more than warnings.
RecordFile parse_records(std::string_view text, const std::string& path);

struct RecordMatch {
    const Record* record;
    std::string reason;
    bool is_own; // of this very problem
};

// The records to try for a problem, best first: its own, then the nearest of the same operator.
std::vector<RecordMatch> matching_records(const RecordFile& file, const Situation& situation);

} // namespace lamina
