#include "tools/command.hpp"
#include <CLI/CLI.hpp>
namespace lamina::tools {
Subcommand add_compile(CLI::App& root) { return {root.add_subcommand("compile"), [] { return 1; }}; }
} // namespace lamina::tools
