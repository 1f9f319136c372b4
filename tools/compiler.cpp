#include "tools/compiler.hpp"

#include "tools/command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace lamina::tools {

// All in the first one in a build tree; in an install tree, dsl's are in the second one, where apps look as
// well.
std::vector<std::filesystem::path> include_folders() {
    return {data_folder("include"), data_folder("../../include")};
}

std::vector<std::string> compiler_command() {
    const char* compiler = std::getenv("CXX");
    std::vector<std::string> command{compiler && *compiler ? compiler : "c++", "-std=c++20",
                                     "-fdiagnostics-color=never", "-fmax-errors=3"};
    for (const std::filesystem::path& folder : include_folders())
        command.push_back("-I" + folder.string());
    return command;
}

std::vector<std::string> halide_options() {
    std::vector<std::string> list;
    std::string_view options = LAMINA_HALIDE_OPTIONS; // separated by bars
    while (!options.empty()) {
        const std::size_t bar = std::min(options.find('|'), options.size());
        list.emplace_back(options.substr(0, bar));
        options.remove_prefix(std::min(bar + 1, options.size()));
    }
    return list;
}

std::string shortened(const std::string& said) {
    constexpr std::size_t most_lines = 24, most_columns = 200;
    std::istringstream lines(said);
    std::string text;
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line); ++count)
        if (count < most_lines)
            text += line.substr(0, most_columns) + '\n';
    if (count > most_lines)
        text += fmt::format("... and {} more lines\n", count - most_lines);
    return text.substr(0, text.find_last_not_of('\n') + 1);
}

} // namespace lamina::tools
