#include "tools/build_cache.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>

#include <sys/stat.h>
#include <unistd.h>

namespace lamina::tools {

namespace {

namespace fs = std::filesystem;

// The name in an `#include "name"` or `#include <name>`, or "".
std::string included_name(const std::string& line) {
    std::istringstream words(line);
    char mark = 0;
    std::string word;
    if (!(words >> mark >> word) || mark != '#' || !word.starts_with("include"))
        return "";
    const std::size_t open = line.find_first_of("\"<"), close = line.find_first_of("\">", open + 1);
    return close == std::string::npos ? "" : line.substr(open + 1, close - open - 1);
}

std::string add_closure(Digest& digest, const fs::path& source, const std::vector<fs::path>& folders,
                        std::set<fs::path>& seen) {
    if (!seen.insert(source).second)
        return "";
    errno = 0;
    std::ifstream file(source, std::ios::binary);
    std::string text;
    if (file)
        text.assign(std::istreambuf_iterator<char>(file), {});
    if (!file)
        return fmt::format("{}: cannot be read: {}", source.string(), std::generic_category().message(errno));
    digest.add(source.string());
    digest.add(text);
    std::vector<fs::path> places{source.parent_path()};
    places.insert(places.end(), folders.begin(), folders.end());
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        if (const std::string name = included_name(line); !name.empty())
            for (const fs::path& place : places)
                if (std::error_code error; fs::is_regular_file(place / name, error)) {
                    if (std::string reason =
                            add_closure(digest, fs::weakly_canonical(place / name, error), folders, seen);
                        !reason.empty())
                        return reason;
                    break;
                }
    return "";
}

fs::path cache_folder() {
    const char* cache = std::getenv("XDG_CACHE_HOME");
    if (cache && *cache == '/')
        return fs::path(cache) / "lamina";
    const char* home = std::getenv("HOME");
    return home && *home == '/' ? fs::path(home) / ".cache" / "lamina" : fs::path();
}

bool is_ours_alone(const fs::path& folder) {
    struct stat status {};
    return ::stat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid() &&
           (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

} // namespace

void Digest::add(std::string_view text) {
    for (const char c : text)
        value_ = (value_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    value_ = (value_ ^ 0x100) * 0x100000001b3; // an end that no text contains
}

std::string Digest::text() const {
    return fmt::format("{:016x}", value_);
}

std::string add_source(Digest& digest, const fs::path& source, const std::vector<fs::path>& include_folders) {
    std::set<fs::path> seen;
    return add_closure(digest, source, include_folders, seen);
}

fs::path cached_path(const std::string& name) {
    const fs::path folder = cache_folder();
    if (folder.empty())
        return {};
    std::error_code error;
    fs::create_directories(folder.parent_path(), error);
    ::mkdir(folder.c_str(), 0700);
    return is_ours_alone(folder) && ::access(folder.c_str(), W_OK) == 0 ? folder / name : fs::path();
}

} // namespace lamina::tools
