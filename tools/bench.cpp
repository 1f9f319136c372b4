// lamina bench: times schedules of problems on one pinned core, as fractions of the peak measured in the same
// run.
#include "generators/whole_file.hpp"
#include "tools/bench_report.hpp"
#include "tools/command.hpp"
#include "tools/inputs.hpp"
#include "tools/progress.hpp"
#include "tuner/child_task.hpp"
#include "tuner/loaded_kernel.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <span>

namespace lamina::tools {

namespace {

// Much longer than LLVM takes for any real kernel.
constexpr double seconds_to_compile = 120;

struct BenchOptions {
    KernelOptions kernel;
    std::vector<std::string> problems, sweep;
    std::string suite, json, csv, html;
    int threads = 1, batch = 0;
    double seconds = 0.3;
};

struct Work {
    std::vector<KernelRequest> requests; // the schedules of a problem one behind the other
    std::vector<int> counts;             // how often the suite's network has the request's problem
    Sweep sweep;
    std::string error;
};

// The schedules to try for a problem; a sweep without a schedule varies the one that the problem would get.
std::vector<std::string> schedules_of(const KernelRequest& request, const BenchOptions& options,
                                      const TargetFacts& target, const Sweep& sweep) {
    std::vector<std::string> schedules = options.kernel.schedules;
    if (schedules.empty())
        schedules = {""};
    if (sweep.knobs.empty())
        return schedules;
    std::vector<std::string> all;
    for (const std::string& schedule : schedules) {
        const Choice choice = choice_for(request, target, options.kernel.records);
        const std::string base =
            schedule.empty() && choice.family ? to_text(choice.family->name, choice.knobs) : schedule;
        for (std::string& swept : swept_schedules(base, sweep))
            all.push_back(std::move(swept));
    }
    return all;
}

// Every schedule of every problem that the command line names.
Work work_of(const BenchOptions& options, const TargetFacts& target) {
    Work work;
    work.sweep = parse_sweep(options.sweep);
    work.error = work.sweep.error;
    std::vector<SuiteProblem> problems;
    for (const std::string& problem : options.problems)
        problems.push_back({problem, 1});
    if (!options.suite.empty() && work.error.empty())
        for (SuiteProblem& problem : read_suite(options.suite, work.error))
            problems.push_back(std::move(problem));
    if (work.error.empty() && problems.empty())
        work.error = "bench: give at least one PROBLEM or --suite";
    for (const SuiteProblem& problem : problems) {
        ParsedRequest parsed = parse_request(problem.problem, "");
        if (parsed.request && options.batch > 0)
            parsed = with_batch(*parsed.request, options.batch);
        if (!parsed.request || !work.error.empty()) {
            work.error = work.error.empty() ? parsed.error : work.error;
            return work;
        }
        for (const std::string& schedule : schedules_of(*parsed.request, options, target, work.sweep)) {
            work.requests.push_back(*parsed.request);
            work.requests.back().schedule = schedule;
            work.counts.push_back(problem.count);
        }
    }
    return work;
}

// In a child process, since a user's schedule may crash or never end.
TimedKernel time_in_child(const KernelRequest& request, const TimingConditions& conditions) {
    ChildTask task(
        [&] {
            std::optional<PinnedCore> pinned;
            if (conditions.threads == 1)
                pinned.emplace();
            return to_json(time_kernel(request, conditions)).dump();
        },
        seconds_to_compile + 20 * conditions.seconds);
    task.wait();
    if (task.error().empty())
        return timed_kernel_from(nlohmann::json::parse(task.text()));
    TimedKernel failed;
    failed.problem = to_text(request.problem).view();
    failed.schedule = request.schedule;
    failed.error = task.error();
    return failed;
}

// Measures and prints one after the other.
std::vector<TimedKernel> measure_all(const Work& work, const TimingConditions& conditions) {
    std::vector<TimedKernel> kernels;
    Progress progress(work.requests.size());
    for (const KernelRequest& request : work.requests) {
        progress.step(fmt::format("{} {}", to_text(request.problem).view(), request.schedule));
        TimedKernel kernel = time_in_child(request, conditions);
        progress.clear();
        if (kernels.empty() || kernels.back().problem != kernel.problem)
            fmt::print("{}\n{}", kernel.problem, table_head());
        fmt::print("{}", table_row(kernel));
        std::fflush(stdout);
        kernels.push_back(std::move(kernel));
    }
    return kernels;
}

void print_peak(const TimingConditions& conditions) {
    fmt::print("{} on {} thread(s); ", conditions.target.name, conditions.threads);
    if (conditions.peak)
        fmt::print("peak of one core {:.1f} GFLOP/s, copy {:.1f} GB/s\n", conditions.peak->gflops,
                   conditions.peak->copy_gbytes);
    else
        fmt::print("no peak measured for this target\n");
}

void print_summary(const Work& work, const std::vector<TimedKernel>& kernels, const TargetFacts& target) {
    if (const std::optional<double> mean = geomean(kernels, &Fractions::median))
        fmt::print("geomean {:.3f} of peak (best {:.3f}); peak at the end {:.1f} GFLOP/s\n", *mean,
                   *geomean(kernels, &Fractions::best), measure_gflops(target).value_or(0));
    double seconds = 0;
    for (std::size_t i = 0; i < kernels.size(); ++i)
        seconds += kernels[i].timing.median * work.counts[i];
    if (std::ranges::max(work.counts) > 1)
        fmt::print("all layers, each as often as the network has it: {:.3f} ms\n", seconds * 1e3);
}

std::string write_reports(const BenchOptions& options, const BenchReport& report) {
    const auto write = [](const std::string& path, std::string (*text)(const BenchReport&),
                          const BenchReport& of) {
        if (path.empty())
            return std::string();
        const std::string whole = text(of);
        return write_whole_file(path, std::as_bytes(std::span(whole)));
    };
    std::string error = write(options.json, json_text, report);
    if (error.empty())
        error = write(options.csv, csv_text, report);
    return error.empty() ? write(options.html, page_text, report) : error;
}

int bench(const BenchOptions& options) {
    const TargetFacts* target = target_or_fail(options.kernel.target);
    if (!target)
        return exit_usage;
    if (!can_run_here(*target))
        return fail(exit_failed, fmt::format("target: this CPU cannot run {}", target->name));
    const Work work = work_of(options, *target);
    std::string error = work.error;
    for (const std::string& path : {options.json, options.csv, options.html})
        if (error.empty() && !path.empty())
            error = why_unwritable(path);
    if (!error.empty())
        return fail(exit_usage, error);
    warn_of_broken_records(options.kernel.records, *target);
    const TimingConditions conditions{*target,         options.kernel.records, options.threads,
                                      options.seconds, measure_peak(*target),  CoreWatch()};
    print_peak(conditions);
    const BenchReport report{std::string(target->name), options.threads, conditions.peak,
                             measure_all(work, conditions), work.sweep};
    print_summary(work, report.kernels, *target);
    error = write_reports(options, report);
    if (!error.empty())
        return fail(exit_failed, error);
    const bool has_failed = std::any_of(report.kernels.begin(), report.kernels.end(),
                                        [](const TimedKernel& kernel) { return !kernel.error.empty(); });
    // A grid may well contain what is not legal.
    return has_failed && work.sweep.knobs.empty() ? exit_failed : exit_ok;
}

} // namespace

Subcommand add_bench(CLI::App& root) {
    auto options = std::make_shared<BenchOptions>();
    CLI::App* app =
        root.add_subcommand("bench", "Time kernels against the peak that this machine shows in the same run");
    app->add_option("PROBLEM", options->problems, "Problems, each one argument");
    options->kernel.add_to(*app, true);
    app->add_option("--suite", options->suite,
                    "Problems of a suite, a name in share/lamina/suites; NAME:kernel_gradient and the like: "
                    "their gradients")
        ->type_name("NAME");
    app->add_option("--threads", options->threads, "Threads of a call; the peak counts as many cores")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    app->add_option("--seconds", options->seconds, "Time to spend on each kernel")
        ->check(CLI::Range(0.001, 60.0))
        ->capture_default_str();
    app->add_option("--sweep", options->sweep,
                    "Vary a knob, e.g. positions=2,4,6 or strip=1..8; again for each further one, for a grid")
        ->type_name("KNOB=VALUES")
        ->allow_extra_args(false);
    app->add_option("--batch", options->batch, "Images of a call, instead of the problems' own number")
        ->check(CLI::Range(1, 65536));
    app->add_option("--json", options->json, "Also write the results to a file")->type_name("FILE");
    app->add_option("--csv", options->csv, "Also write the results as a table for spreadsheets")
        ->type_name("FILE");
    app->add_option("--html", options->html, "Also write a page with the table and a sweep's heat maps")
        ->type_name("FILE");
    app->footer(
        "Example: lamina bench \"max_pool in=1x112x112x64 kernel_size=3 stride=2 padding=1\" --schedule pool "
        "--schedule generic");
    return {app, [options] { return bench(*options); }};
}

} // namespace lamina::tools
