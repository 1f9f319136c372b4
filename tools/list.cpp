#include "tools/command.hpp"
#include <CLI/CLI.hpp>
namespace lamina::tools {
Subcommand add_list(CLI::App& root) { return {root.add_subcommand("list"), [] { return 1; }}; }
} // namespace lamina::tools
