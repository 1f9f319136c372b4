// The command `lamina`.
#include "schedules/guarded.hpp"
#include "tools/command.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <array>
#include <csignal>
#include <cstdio>

using namespace lamina::tools;

namespace {

// CLI11 would say that a subcommand is missing, and not what stands in its place.
bool is_unknown_subcommand(const CLI::App& app, const std::string& word) {
    const auto is_named = [&](const CLI::App* subcommand) { return subcommand->check_name(word); };
    return !word.empty() && word[0] != '-' && app.get_subcommands(is_named).empty();
}

int run(int argc, char** argv) {
    CLI::App app{"CNN layers as ahead-of-time compiled kernels: try, time, explain and compile them.\n\n"
                 "A PROBLEM is one operator and its keys in quotes, for example\n"
                 "  \"cross_correlation in=1x56x56x64 out_channels=64 kernel_size=3x3 padding=same "
                 "epilogue=bias,relu\"\n"
                 "`lamina list operators` shows all operators and keys.",
                 "lamina"};
    app.require_subcommand(1);
    app.footer(
        "Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage.");
    const std::array<Subcommand, 6> subcommands{add_run(app),  add_bench(app),   add_explain(app),
                                                add_list(app), add_compile(app), add_tune(app)};
    if (argc > 1 && is_unknown_subcommand(app, argv[1]))
        return fail(exit_usage, fmt::format("{}: not a subcommand; see `lamina --help`",
                                            lamina::in_quotes(argv[1]).view()));
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error);
        return code == 0 ? exit_ok : exit_usage;
    }
    for (const Subcommand& subcommand : subcommands)
        if (subcommand.app->parsed())
            return subcommand.run();
    return exit_usage;
}

} // namespace

int main(int argc, char** argv) {
    // A file that grows beyond a limit is then reported as one on a full disk is.
    std::signal(SIGXFSZ, SIG_IGN);
    int code = exit_failed;
    // What is expected is handled as a value.
    const std::string error = lamina::guarded([&] {
        code = run(argc, argv);
        return std::string();
    });
    if (!error.empty())
        return fail(exit_failed, error);
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0)
        return code;
    return fail(exit_failed, "the results could not be written to stdout");
}
