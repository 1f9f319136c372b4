// What the subcommands of `lamina` share: options, exit codes, where data files lie.
#pragma once

#include "generators/compile.hpp"

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace lamina::tools {

// Exit codes, for scripts.
enum Exit : int {
    exit_ok = 0,
    exit_failed = 1, // something could not be compiled, run, read or written
    exit_usage = 2,  // the command line, a problem's text or a schedule's is wrong
};

// Prints `lamina: MESSAGE` to stderr and returns the code.
int fail(Exit code, const std::string& message);

// The folder of that name beside the command: ../share/lamina/NAME.
std::string data_folder(const std::string& name);

// --target, --records and --schedule as most subcommands take them.
struct KernelOptions {
    std::string target;
    std::string records = data_folder("records");
    std::vector<std::string> schedules;

    void add_to(CLI::App& app, bool many_schedules);
};

// --schedules FILE,...: adds the families of C++ files to the table, before the subcommand runs.
void add_schedules_option(CLI::App& app);

// A problem's text as a request for a kernel; the error names what is wrong.
struct ParsedRequest {
    std::optional<KernelRequest> request;
    std::string error;
};
ParsedRequest parse_request(const std::string& problem, const std::string& schedule,
                            const std::string& name = "lamina_kernel");

// The same with so many images a call; the error where that is more than fits.
ParsedRequest with_batch(KernelRequest request, int batch);

// The target of that name, "" the best of this machine; null and a printed message where there is none.
const TargetFacts* target_or_fail(const std::string& name);

// Tells on stderr which of the target's records are ignored, and why.
void warn_of_broken_records(const std::string& records, const TargetFacts& target);

// One subcommand each: adds its options to a parser, and runs when that parser was chosen.
struct Subcommand {
    CLI::App* app;
    std::function<int()> run;
};
Subcommand add_run(CLI::App& root);
Subcommand add_bench(CLI::App& root);
Subcommand add_explain(CLI::App& root);
Subcommand add_list(CLI::App& root);
Subcommand add_compile(CLI::App& root);
Subcommand add_tune(CLI::App& root);

} // namespace lamina::tools
