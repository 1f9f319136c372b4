#include "tools/describe_network.hpp"

#include "generators/temporary_folder.hpp"
#include "generators/whole_file.hpp"
#include "lamina/name.hpp"
#include "lamina/text.hpp"
#include "tools/child_process.hpp"
#include "tools/compiler.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace lamina::tools {

namespace {

// Words between `::` that are identifiers each, so that nothing but a variable's name gets into the program.
bool is_qualified_name(std::string_view name) {
    for (std::size_t colons = name.find("::"); colons != std::string_view::npos; colons = name.find("::")) {
        if (!detail::is_c_identifier(name.substr(0, colons)))
            return false;
        name = name.substr(colons + 2);
    }
    return detail::is_c_identifier(name);
}

} // namespace

Description describe_network(const std::string& header, const std::string& variable) {
    if (!is_qualified_name(variable))
        return {{}, fmt::format("network {}: must be the name of a variable", in_quotes(variable).view())};
    std::error_code error;
    const std::filesystem::path path = std::filesystem::canonical(header, error);
    if (error)
        return {{}, fmt::format("{}: {}", header, error.message())};
    const TemporaryFolder folder;
    if (!folder.error().empty())
        return {{}, folder.error(), exit_failed};
    const std::string source = folder.path() + "/describe.cpp", program = folder.path() + "/describe";
    const std::string text =
        fmt::format("#include \"{}\"\n#include <lamina/describe.hpp>\n#include <cstdio>\n"
                    "int main() {{ std::fputs(lamina::describe({}).c_str(), stdout); }}\n",
                    path.filename().string(), variable);
    if (std::string reason = write_whole_file(source, std::as_bytes(std::span(text))); !reason.empty())
        return {{}, std::move(reason), exit_failed};
    std::vector<std::string> command = compiler_command();
    command.insert(command.end(), {"-I" + path.parent_path().string(), source, "-o", program});
    const Finished compiled = run_child(command);
    if (compiled.status != 0)
        return {{},
                fmt::format("{} does not compile, or has no network `{}`:\n{}", header, variable,
                            shortened(compiled.output))};
    const Finished described = run_child({program});
    if (described.status != 0)
        return {{}, fmt::format("{}: its description ended with status {}", header, described.status)};
    return {described.output, ""};
}

} // namespace lamina::tools
