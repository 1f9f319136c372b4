#include "schedules/records.hpp"

#include "schedules/tool_versions.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

namespace lamina {

namespace {

using nlohmann::json;

std::string text_field(const json& object, const char* key) {
    const auto field = object.find(key);
    return field != object.end() && field->is_string() ? field->get<std::string>() : "";
}

double number_field(const json& object, const char* key) {
    const auto field = object.find(key);
    return field != object.end() && field->is_number() ? field->get<double>() : 0.0;
}

// Reads one entry; returns why it is none, or "".
std::string read_record(const json& entry, Record& record) {
    if (!entry.is_object())
        return "not an object";
    record.problem = text_field(entry, "problem");
    record.schedule = text_field(entry, "schedule");
    const ParsedProblem parsed = parse_problem(record.problem);
    if (!parsed.ok())
        return fmt::format("problem: {}", parsed.error.view());
    record.problem = to_text(parsed.problem).view();
    const ScheduleText schedule = parse_schedule(record.schedule);
    if (!schedule.error.empty() || !find_family(schedule.family))
        return schedule.error.empty() ? fmt::format("unknown family {}", in_quotes(schedule.family).view())
                                      : schedule.error;
    const auto evidence = entry.find("evidence");
    if (evidence == entry.end() || !evidence->is_object())
        return "no evidence";
    record.evidence = {number_field(*evidence, "gflops"),
                       number_field(*evidence, "fraction_of_peak"),
                       number_field(*evidence, "over_default"),
                       text_field(*evidence, "cpu"),
                       text_field(*evidence, "versions"),
                       text_field(*evidence, "date"),
                       text_field(*evidence, "by")};
    return "";
}

// How unlike two problems of one operator are: the sum of the ratios' logarithms over the sizes that shape a
// schedule. The batch, of which an open one counts as one image, says what comes from the caches: on a Zen 4
// the record of a depthwise layer on 56x56x144 took 1.4 times as long as the default on eight images, and
// over 27 problems the records of one image gained nothing.
double distance(const Problem& a, const Problem& b) {
    const auto ratio = [](double left, double right) { return std::abs(std::log2(left / right)); };
    const Shape out_a = output_shape(a), out_b = output_shape(b);
    const double batch = ratio(std::max(a.in.batch, 1), std::max(b.in.batch, 1));
    return batch + ratio(a.in.channels, b.in.channels) + ratio(out_a.channels, out_b.channels) +
           ratio(out_a.width, out_b.width) + ratio(out_a.height, out_b.height);
}

// Schedules carry over only between problems whose windows and channel structure are the same.
bool is_alike(const Problem& a, const Problem& b) {
    return a.op == b.op && a.kernel_size == b.kernel_size && a.stride == b.stride &&
           a.dilation == b.dilation && a.layout == b.layout && a.type == b.type &&
           (a.groups == 1) == (b.groups == 1);
}

std::string ignored(const std::string& path, const Record& record, const std::string& reason) {
    return fmt::format("{}: record {} ignored: {}", path, in_quotes(record.problem).view(), reason);
}

// Without its folder, which differs between machines.
std::string name_of(const RecordFile& file) {
    return file.path.substr(file.path.rfind('/') + 1);
}

} // namespace

std::vector<std::string> RecordFile::warnings() const {
    std::vector<std::string> all = unreadable;
    for (const OutdatedRecord& entry : outdated)
        all.push_back(ignored(path, entry.record, entry.reason));
    return all;
}

std::string records_path(const std::string& folder, const TargetFacts& target) {
    return fmt::format("{}/{}.json", folder, target.name);
}

RecordFile load_records(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    if (!stream)
        return {path, {}, {}, {}};
    std::ostringstream text;
    text << stream.rdbuf();
    return parse_records(text.str(), path);
}

RecordFile parse_records(std::string_view text, const std::string& path) {
    RecordFile file{path, {}, {}, {}};
    const json root = json::parse(text, nullptr, false);
    if (!root.is_array()) {
        file.unreadable.push_back(fmt::format("{}: not a JSON list of records; ignored", path));
        return file;
    }
    for (const json& entry : root) {
        Record record;
        const std::string error = read_record(entry, record);
        if (!error.empty())
            file.unreadable.push_back(ignored(path, record, error));
        else if (std::string reason = why_outdated(record.evidence.versions); !reason.empty())
            file.outdated.push_back({std::move(record), std::move(reason)});
        else
            file.records.push_back(std::move(record));
    }
    return file;
}

std::vector<RecordMatch> matching_records(const RecordFile& file, const Situation& situation) {
    std::vector<RecordMatch> matches;
    std::vector<std::pair<double, const Record*>> near;
    for (const Record& record : file.records) {
        const Problem problem = parse_problem(record.problem).problem;
        if (problem == situation.problem)
            matches.push_back({&record, fmt::format("record of this problem in {}", name_of(file)), true});
        else if (is_alike(problem, situation.problem) && distance(problem, situation.problem) <= 1.0)
            near.emplace_back(distance(problem, situation.problem), &record);
    }
    std::stable_sort(near.begin(), near.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [_, record] : near)
        matches.push_back(
            {record, fmt::format("nearest record in {}: {}", name_of(file), record->problem), false});
    return matches;
}

} // namespace lamina
