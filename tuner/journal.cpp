#include "tuner/journal.hpp"

#include "generators/whole_file.hpp"
#include "schedules/tool_versions.hpp"
#include "tuner/folder_lock.hpp"

#include <fmt/format.h>

#include <fstream>
#include <span>
#include <sstream>

namespace lamina {

namespace {

std::string line_of(const Problem& problem) {
    return fmt::format("{}: {}", tool_versions(), to_text(problem).view());
}

} // namespace

Journal::Journal(std::string records, const TargetFacts& target)
    : folder_(std::move(records)), path_(fmt::format("{}/{}.tuned", folder_, target.name)) {}

bool Journal::holds(const Problem& problem) const {
    std::ifstream file(path_);
    for (std::string line; std::getline(file, line);)
        if (line == line_of(problem))
            return true;
    return false;
}

std::string Journal::add(const Problem& problem) const {
    const FolderLock lock(folder_);
    if (!lock.error().empty() || holds(problem))
        return lock.error();
    std::ostringstream lines;
    if (std::ifstream file(path_); file.peek() != std::ifstream::traits_type::eof())
        lines << file.rdbuf();
    const std::string text = lines.str() + line_of(problem) + "\n";
    return write_whole_file(path_, std::as_bytes(std::span(text)));
}

} // namespace lamina
