#include "tools/command.hpp"
#include <CLI/CLI.hpp>
namespace lamina::tools {
Subcommand add_run(CLI::App& root) { return {root.add_subcommand("run"), [] { return 1; }}; }
} // namespace lamina::tools
