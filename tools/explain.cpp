#include "tools/command.hpp"
#include <CLI/CLI.hpp>
namespace lamina::tools {
Subcommand add_explain(CLI::App& root) { return {root.add_subcommand("explain"), [] { return 1; }}; }
} // namespace lamina::tools
