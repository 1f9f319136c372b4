// lamina explain: which schedule a problem gets on a target, why, and what it leads to.
#include "tools/command.hpp"
#include "tools/explain_code.hpp"
#include "tools/explain_nest.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace lamina::tools {

namespace {

struct ExplainOptions {
    KernelOptions kernel;
    std::string problem, cpu, loop_nest;
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
    for (const Family* family : default_families()) {
        const std::string reason = why_unfit(*family, situation);
        if (family == choice.family)
            continue;
        fmt::print("not         {}: {}\n", family->name,
                   reason.empty() ? "fits as well: " + to_text(family->name, family->defaults(situation, {}))
                                  : reason);
    }
}

void print_choice(const Situation& situation, const Choice& choice) {
    fmt::print("problem     {}\ntarget      {}: {}\n", to_text(situation.problem).view(),
               situation.target->name, situation.target->machines);
    print_sizes(situation.problem);
    fmt::print("schedule    {}\nbecause     {}\n", to_text(choice.family->name, choice.knobs), choice.reason);
    print_others(situation, choice);
}

void print_outline(const NestOutline& nest) {
    if (!nest.lines.empty())
        fmt::print("loop nest\n");
    for (const std::string& line : nest.lines)
        fmt::print("    {}\n", line);
}

// Everything is found out before the first line is printed: what fails prints no half of an answer.
int explain_kernel(const ExplainOptions& options, const KernelRequest& request, const TargetFacts& target) {
    const Choice choice = choice_for(request, target, options.kernel.records);
    if (!choice.error.empty())
        return fail(exit_usage, choice.error);
    if (const std::string error = options.cpu.empty() ? "" : choose_cpu(target, options.cpu).error;
        !error.empty())
        return fail(exit_usage, error);
    NestOutline nest;
    if (options.loop_nest.empty())
        nest = outline_nest(request, choice, target);
    else
        nest.error = save_nest(request, choice, target, options.loop_nest);
    if (!nest.error.empty())
        return fail(exit_failed, nest.error);
    const CompiledCode code = compile_and_inspect(request, target, options.kernel.records, options.cpu);
    if (!code.error.empty())
        return fail(exit_failed, code.error);
    print_choice({request.problem, &target}, choice);
    print_memory(code.allocations);
    print_hot_loop(code.report);
    print_roofline(request.problem, code);
    print_outline(nest);
    print_listing(code.report);
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
    return explain_kernel(options, *parsed.request, *target);
}

} // namespace

Subcommand add_explain(CLI::App& root) {
    auto options = std::make_shared<ExplainOptions>();
    CLI::App* app = root.add_subcommand(
        "explain", "Show the schedule that a problem gets, where it comes from, and what it becomes: loops, "
                   "memory, the hot loop's instructions and its bound on a CPU");
    app->add_option("PROBLEM", options->problem, "The problem, one argument")->required();
    options->kernel.add_to(*app, false);
    app->add_option(
           "--cpu", options->cpu,
           "CPU whose pipeline bounds the hot loop, by LLVM's name; default: this machine's where it "
           "runs the target, otherwise a usual one")
        ->type_name("NAME");
    app->add_option("--loop-nest", options->loop_nest,
                    "Write the whole lowered code there, as text or for a browser")
        ->type_name("FILE.stmt|FILE.html");
    return {app, [options] { return explain_problem(*options); }};
}

} // namespace lamina::tools
