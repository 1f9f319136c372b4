// lamina explain: which schedule a problem gets on a target, why, and what it leads to.
#include "generators/whole_file.hpp"
#include "tools/command.hpp"

#include "generators/temporary_folder.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <fstream>
#include <span>
#include <sstream>

namespace lamina::tools {

namespace {

struct ExplainOptions {
    KernelOptions kernel;
    std::string problem, loop_nest;
};

void print_sizes(const Problem& p) {
    const Shape out = output_shape(p);
    fmt::print("output      {}x{}x{} per image\n", out.height, out.width, out.channels);
    fmt::print("operations  {} per call{}, {} bytes at least, {:.2f} operations a byte\n", operation_count(p),
               p.in.batch == open_batch ? " of one image" : "", bytes_moved(p),
               static_cast<double>(operation_count(p)) / static_cast<double>(bytes_moved(p)));
    fmt::print("parameters  {}\n", parameter_count(p));
}

void print_others(const Situation& situation, const Choice& choice) {
    for (const Family* family : family_table()) {
        const std::string reason = family->fits(situation);
        if (family == choice.family)
            continue;
        fmt::print("not         {}: {}\n", family->name,
                   reason.empty() ? "fits as well: " + to_text(family->name, family->defaults(situation, {}))
                                  : reason);
    }
}

// Writes the whole lowered code to `path`, or nothing; returns what went wrong.
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

// Allocations and loops of the lowered code, which show the nest without its arithmetic.
int print_nest(const KernelRequest& request, const Choice& choice, const TargetFacts& target) {
    const TemporaryFolder folder;
    const std::string path = folder.path() + "/nest.stmt";
    const std::string error =
        folder.error().empty() ? write_loop_nest(request, choice, target, path) : folder.error();
    if (!error.empty())
        return fail(exit_failed, error);
    fmt::print("loop nest\n");
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);)
        for (const char* mark : {"for (", "parallel (", "allocate ", "gpu_block", "gpu_thread"})
            if (line.find(mark) != std::string::npos) {
                fmt::print("    {}\n", line.substr(0, line.find(" {")));
                break;
            }
    return exit_ok;
}

int explain_problem(const ExplainOptions& options) {
    const TargetFacts* target = target_or_fail(options.kernel.target);
    if (!target)
        return exit_usage;
    const std::string schedule = options.kernel.schedules.empty() ? "" : options.kernel.schedules[0];
    const ParsedRequest parsed = parse_request(options.problem, schedule);
    if (!parsed.request)
        return fail(exit_usage, parsed.error);
    warn_of_broken_records(options.kernel.records, *target);
    const Choice choice = choice_for(*parsed.request, *target, options.kernel.records);
    if (!choice.error.empty())
        return fail(exit_usage, choice.error);
    if (!options.loop_nest.empty())
        if (const std::string error = save_nest(*parsed.request, choice, *target, options.loop_nest);
            !error.empty())
            return fail(exit_failed, error);
    const Situation situation{parsed.request->problem, target};
    fmt::print("problem     {}\ntarget      {}: {}\n", to_text(parsed.request->problem).view(), target->name,
               target->machines);
    print_sizes(parsed.request->problem);
    fmt::print("schedule    {}\nbecause     {}\n", to_text(choice.family->name, choice.knobs), choice.reason);
    print_others(situation, choice);
    if (!options.loop_nest.empty())
        return exit_ok;
    return print_nest(*parsed.request, choice, *target);
}

} // namespace

Subcommand add_explain(CLI::App& root) {
    auto options = std::make_shared<ExplainOptions>();
    CLI::App* app = root.add_subcommand(
        "explain", "Show the schedule that a problem gets, where it comes from, and its loop nest");
    app->add_option("PROBLEM", options->problem, "The problem, one argument")->required();
    options->kernel.add_to(*app, false);
    app->add_option("--loop-nest", options->loop_nest,
                    "Write the whole lowered code there, as text or for a browser")
        ->type_name("FILE.stmt|FILE.html");
    return {app, [options] { return explain_problem(*options); }};
}

} // namespace lamina::tools
