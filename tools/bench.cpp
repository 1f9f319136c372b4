// lamina bench: times schedules of problems on one pinned core, as fractions of the peak measured in the same
// run.
#include "generators/whole_file.hpp"
#include "tools/command.hpp"
#include "tools/inputs.hpp"
#include "tools/progress.hpp"
#include "tools/timed_kernel.hpp"
#include "tuner/loaded_kernel.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <span>

namespace lamina::tools {

namespace {

struct BenchOptions {
    KernelOptions kernel;
    std::vector<std::string> problems;
    std::string suite, json;
    int threads = 1;
    double seconds = 0.3;
};

void print(const TimedKernel& row) {
    if (!row.error.empty()) {
        fmt::print("{}\n    {}: {}\n", row.problem, row.schedule.empty() ? "no schedule" : row.schedule,
                   row.error);
        return;
    }
    std::string fractions;
    if (row.fractions)
        fractions = fmt::format("  {:5.3f} of peak (best {:5.3f})  {:5.3f} of copy", row.fractions->median,
                                row.fractions->best, row.fractions->copy);
    fmt::print("{}\n    {:<44} {:9.4f} ms +-{:2.0f}%  {:7.1f} GFLOP/s{}  {:6.1f} KiB scratch  "
               "{:5.1f} KiB code  {:4.2f} s to compile\n",
               row.problem, row.schedule, row.timing.median * 1e3, 50 * row.timing.spread / row.timing.median,
               row.gflops, fractions, static_cast<double>(row.scratch_bytes) / 1024,
               static_cast<double>(row.code_bytes) / 1024, row.compile_seconds);
}

// Of the fractions of the peak; nothing where there are none.
std::optional<double> geomean(const std::vector<TimedKernel>& rows) {
    double sum = 0;
    int count = 0;
    for (const TimedKernel& row : rows)
        if (row.fractions) {
            sum += std::log(row.fractions->median);
            ++count;
        }
    return count == 0 ? std::nullopt : std::optional(std::exp(sum / count));
}

nlohmann::json to_json(const TimedKernel& row) {
    nlohmann::json json{{"problem", row.problem},
                        {"schedule", row.schedule},
                        {"reason", row.reason},
                        {"error", row.error},
                        {"median_seconds", row.timing.median},
                        {"best_seconds", row.timing.best},
                        {"spread_seconds", row.timing.spread},
                        {"gflops", row.gflops},
                        {"fraction_of_peak", nullptr},
                        {"best_fraction_of_peak", nullptr},
                        {"fraction_of_copy", nullptr},
                        {"scratch_bytes", row.scratch_bytes},
                        {"code_bytes", row.code_bytes},
                        {"compile_seconds", row.compile_seconds}};
    if (row.fractions) {
        json["fraction_of_peak"] = row.fractions->median;
        json["best_fraction_of_peak"] = row.fractions->best;
        json["fraction_of_copy"] = row.fractions->copy;
    }
    return json;
}

std::string write_json(const std::string& path, const std::vector<TimedKernel>& rows,
                       const TimingConditions& conditions) {
    nlohmann::json root{{"target", conditions.target.name},
                        {"peak_gflops", nullptr},
                        {"copy_gbytes", nullptr},
                        {"geomean_fraction_of_peak", nullptr},
                        {"rows", nlohmann::json::array()}};
    if (conditions.peak) {
        root["peak_gflops"] = conditions.peak->gflops;
        root["copy_gbytes"] = conditions.peak->copy_gbytes;
    }
    if (const std::optional<double> mean = geomean(rows))
        root["geomean_fraction_of_peak"] = *mean;
    for (const TimedKernel& row : rows)
        root["rows"].push_back(to_json(row));
    const std::string text = root.dump(1) + "\n";
    return write_whole_file(path, std::as_bytes(std::span(text)));
}

struct ParsedRequests {
    std::vector<KernelRequest> requests;
    std::string error;
};

// Every schedule of every problem that the command line names.
ParsedRequests requests_of(const BenchOptions& options) {
    ParsedRequests parsed;
    std::vector<std::string> problems = options.problems;
    if (!options.suite.empty())
        for (std::string& problem : read_suite(options.suite, parsed.error))
            problems.push_back(std::move(problem));
    if (parsed.error.empty() && problems.empty())
        parsed.error = "bench: give at least one PROBLEM or --suite";
    const std::vector<std::string> looked_up = {""};
    for (const std::string& problem : problems)
        for (const std::string& schedule :
             options.kernel.schedules.empty() ? looked_up : options.kernel.schedules) {
            const ParsedRequest request = parse_request(problem, schedule);
            if (!request.request)
                return {{}, request.error};
            parsed.requests.push_back(*request.request);
        }
    return parsed;
}

// Measures and prints one after the other.
std::vector<TimedKernel> measure_all(const std::vector<KernelRequest>& requests,
                                     const TimingConditions& conditions) {
    std::vector<TimedKernel> rows;
    Progress progress(requests.size());
    for (const KernelRequest& request : requests) {
        progress.step(std::string(to_text(request.problem).view()));
        rows.push_back(time_kernel(request, conditions));
        progress.clear();
        print(rows.back());
        std::fflush(stdout);
    }
    return rows;
}

void print_peak(const TimingConditions& conditions) {
    fmt::print("{} on {} thread(s); ", conditions.target.name, conditions.threads);
    if (conditions.peak)
        fmt::print("peak of one core {:.1f} GFLOP/s, copy {:.1f} GB/s\n", conditions.peak->gflops,
                   conditions.peak->copy_gbytes);
    else
        fmt::print("no peak measured for this target\n");
}

int bench(const BenchOptions& options) {
    const TargetFacts* target = target_or_fail(options.kernel.target);
    if (!target)
        return exit_usage;
    if (!can_run_here(*target))
        return fail(exit_failed, fmt::format("target: this CPU cannot run {}", target->name));
    const ParsedRequests parsed = requests_of(options);
    std::string error = parsed.error;
    if (error.empty() && !options.json.empty())
        error = why_unwritable(options.json);
    if (!error.empty())
        return fail(exit_usage, error);
    warn_of_broken_records(options.kernel.records, *target);
    std::optional<PinnedCore> pinned;
    if (options.threads == 1)
        pinned.emplace();
    const TimingConditions conditions{*target, options.kernel.records, options.threads, options.seconds,
                                      measure_peak(*target)};
    print_peak(conditions);
    const std::vector<TimedKernel> rows = measure_all(parsed.requests, conditions);
    if (const std::optional<double> mean = geomean(rows))
        fmt::print("geomean {:.3f} of peak; peak at the end {:.1f} GFLOP/s\n", *mean,
                   measure_gflops(*target).value_or(0));
    if (!options.json.empty())
        error = write_json(options.json, rows, conditions);
    if (!error.empty())
        return fail(exit_failed, error);
    const bool has_failed =
        std::any_of(rows.begin(), rows.end(), [](const TimedKernel& row) { return !row.error.empty(); });
    return has_failed ? exit_failed : exit_ok;
}

} // namespace

Subcommand add_bench(CLI::App& root) {
    auto options = std::make_shared<BenchOptions>();
    CLI::App* app =
        root.add_subcommand("bench", "Time kernels against the peak that this machine shows in the same run");
    app->add_option("PROBLEM", options->problems, "Problems, each one argument");
    options->kernel.add_to(*app, true);
    app->add_option("--suite", options->suite, "Problems of a suite: a name in share/lamina/suites")
        ->type_name("NAME");
    app->add_option("--threads", options->threads, "Threads of a call; the peak counts as many cores")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    app->add_option("--seconds", options->seconds, "Time to spend on each kernel")
        ->check(CLI::Range(0.001, 60.0))
        ->capture_default_str();
    app->add_option("--json", options->json, "Also write the results to a file")->type_name("FILE");
    app->footer(
        "Example: lamina bench \"max_pool in=1x112x112x64 kernel_size=3 stride=2 padding=1\" --schedule pool "
        "--schedule generic");
    return {app, [options] { return bench(*options); }};
}

} // namespace lamina::tools
