#include "tools/explain_nest.hpp"

#include "generators/temporary_folder.hpp"
#include "generators/whole_file.hpp"

#include <fstream>
#include <span>
#include <sstream>

namespace lamina::tools {

std::string save_nest(const KernelRequest& request, const Choice& choice, const TargetFacts& target,
                      const std::string& path) {
    const TemporaryFolder folder;
    if (!folder.error().empty())
        return folder.error();
    const std::string whole = folder.path() + (path.ends_with(".html") ? "/nest.html" : "/nest.stmt");
    if (std::string error = write_loop_nest(request, choice, target, whole); !error.empty())
        return error;
    std::ostringstream text;
    text << std::ifstream(whole).rdbuf();
    const std::string nest = text.str();
    return write_whole_file(path, std::as_bytes(std::span(nest)));
}

NestOutline outline_nest(const KernelRequest& request, const Choice& choice, const TargetFacts& target) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/nest.stmt";
    NestOutline outline;
    outline.error = folder.error().empty() ? write_loop_nest(request, choice, target, path) : folder.error();
    if (!outline.error.empty())
        return outline;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);)
        for (const char* mark : {"for (", "parallel (", "allocate ", "gpu_block", "gpu_thread"})
            if (line.find(mark) != std::string::npos) {
                outline.lines.push_back(line.substr(0, line.find(" {")));
                break;
            }
    return outline;
}

} // namespace lamina::tools
