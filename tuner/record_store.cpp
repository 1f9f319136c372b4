#include "tuner/record_store.hpp"

#include "generators/whole_file.hpp"
#include "tuner/folder_lock.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

namespace lamina {

namespace {

using nlohmann::ordered_json;

double rounded(double value, double digits) {
    return std::round(value * digits) / digits;
}

ordered_json to_json(const Record& record) {
    const Evidence& e = record.evidence;
    ordered_json evidence{{"gflops", rounded(e.gflops, 10)},
                          {"fraction_of_peak", rounded(e.fraction_of_peak, 1000)},
                          {"over_default", rounded(e.over_default, 1000)},
                          {"cpu", e.cpu},
                          {"versions", e.versions},
                          {"date", e.date},
                          {"by", e.by}};
    return {{"problem", record.problem}, {"schedule", record.schedule}, {"evidence", evidence}};
}

// By what the file is sorted: the problem in its canonical form, where there is one.
std::string sort_key(const ordered_json& entry) {
    if (!entry.is_object() || !entry.contains("problem") || !entry["problem"].is_string())
        return "";
    const std::string text = entry["problem"];
    const ParsedProblem parsed = parse_problem(text);
    return parsed.ok() ? std::string(to_text(parsed.problem).view()) : text;
}

std::string line_of(const ordered_json& entry) {
    if (!entry.is_object())
        return entry.dump();
    std::string text = "{";
    for (const auto& [key, value] : entry.items())
        text += fmt::format("{}{}: {}", text.size() == 1 ? "" : ",\n ", ordered_json(key).dump(),
                            value.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
    return text + "}";
}

std::string file_text(const ordered_json& entries) {
    std::multimap<std::string, std::string> sorted;
    for (const ordered_json& entry : entries)
        sorted.emplace(sort_key(entry), line_of(entry));
    std::string text = "[";
    for (const auto& [key, line] : sorted)
        text += fmt::format("{}\n{}", text.size() == 1 ? "" : ",", line);
    return text + "\n]\n";
}

// The entries of a file that may not exist; nothing where it holds something else.
std::optional<ordered_json> read_entries(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::exists(path, error) && !error)
        return ordered_json::array();
    std::ifstream stream(path);
    ordered_json entries = ordered_json::parse(stream, nullptr, false);
    if (!stream || !entries.is_array())
        return {};
    return entries;
}

// Whether what is there for the problem is somebody else's and better.
bool is_outdone(const std::string& path, const Record& record, const std::string& compared_with) {
    for (const Record& other : load_records(path).records)
        if (other.problem == record.problem && other.schedule != compared_with)
            return other.evidence.fraction_of_peak > record.evidence.fraction_of_peak;
    return false;
}

std::string not_a_list(const std::string& path) {
    return fmt::format("{}: not a JSON list of records; it stays as it is", path);
}

} // namespace

std::string why_not_storable(const std::string& folder, const TargetFacts& target) {
    const std::string path = records_path(folder, target);
    return read_entries(path) ? "" : not_a_list(path);
}

std::string store_record(const std::string& folder, const TargetFacts& target, const Record& record,
                         const std::string& compared_with) {
    const FolderLock lock(folder);
    if (!lock.error().empty())
        return lock.error();
    remove_abandoned_files(folder);
    const std::string path = records_path(folder, target);
    std::optional<ordered_json> entries = read_entries(path);
    if (!entries)
        return not_a_list(path);
    if (is_outdone(path, record, compared_with))
        return "";
    entries->erase(
        std::remove_if(entries->begin(), entries->end(),
                       [&](const ordered_json& entry) { return sort_key(entry) == record.problem; }),
        entries->end());
    entries->push_back(to_json(record));
    const std::string text = file_text(*entries);
    return write_whole_file(path, std::as_bytes(std::span(text)));
}

} // namespace lamina
