// lamina bench: times schedules of problems on one pinned core, as fractions of the peak measured in the same
// run.
#include "tools/command.hpp"
#include "tools/progress.hpp"
#include "tools/whole_file.hpp"
#include "tuner/operand_data.hpp"
#include "tuner/peak.hpp"
#include "tuner/timing.hpp"

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

struct Row {
    std::string problem, schedule, reason, error;
    Timing timing;
    double gflops = 0; // operations a second, 1e9
    // Of the peak beside it: the median of the rounds.
    double fraction = 0;
    // Of the best peak: the best call.
    double best_fraction = 0;
    // Of the copy bandwidth: the bytes moved at least.
    double copy_fraction = 0;
    std::size_t scratch_bytes = 0, code_bytes = 0;
    double compile_seconds = 0;
};

// The problems of a suite's file, one a line; # begins a comment.
std::vector<std::string> read_suite(const std::string& name, std::string& error) {
    const std::string path = data_folder("suites") + "/" + name + ".txt";
    std::ifstream file(path);
    std::vector<std::string> problems;
    for (std::string line; std::getline(file, line);) {
        line.resize(std::min(line.find('#'), line.size()));
        if (line.find_first_not_of(" \t\r") != std::string::npos)
            problems.push_back(line);
    }
    if (problems.empty())
        error = fmt::format("suite {}: {} holds no problems", in_quotes(name).view(), path);
    return problems;
}

constexpr int rounds = 8;

// Times the calls in rounds, each beside the peak that the machine shows at that moment: other work on the
// machine slows both.
template <class Run>
void time_rounds(Row& row, const Run& run, const Problem& problem, const BenchOptions& options,
                 const TargetFacts& target) {
    const double operations = static_cast<double>(operation_count(problem)) / 1e9;
    std::vector<double> fractions, medians;
    double best_peak = 0;
    row.timing.best = 1e30;
    for (int round = 0; round < rounds; ++round) {
        const double peak = measure_gflops(target) * options.threads;
        const Timing timing = time_calls(run, options.seconds / rounds);
        fractions.push_back(operations / timing.median / peak);
        medians.push_back(timing.median);
        row.timing.best = std::min(row.timing.best, timing.best);
        row.timing.calls += timing.calls;
        best_peak = std::max(best_peak, peak);
    }
    std::sort(fractions.begin(), fractions.end());
    std::sort(medians.begin(), medians.end());
    row.fraction = fractions[rounds / 2];
    row.timing.median = medians[rounds / 2];
    row.timing.spread = medians[rounds * 3 / 4] - medians[rounds / 4];
    row.gflops = operations / row.timing.median;
    row.best_fraction = operations / row.timing.best / best_peak;
}

Row measure(const KernelRequest& request, const BenchOptions& options, const TargetFacts& target) {
    Row row;
    row.problem = to_text(request.problem).view();
    row.schedule = request.schedule;
    const LoadedKernel loaded = load_kernel(request, target, options.kernel.records);
    row.error = loaded.error();
    if (!row.error.empty())
        return row;
    const Choice& choice = loaded.compiled().choices[0];
    row.schedule = to_text(choice.family->name, choice.knobs);
    row.reason = choice.reason;
    row.compile_seconds = loaded.compile_seconds();
    row.code_bytes = loaded.code_bytes();
    row.scratch_bytes = lamina_scratch_size(&loaded.call(), options.threads);
    const OperandData data(loaded, 1);
    lamina_context context{};
    context.threads = options.threads;
    const auto count = static_cast<std::int32_t>(data.views().size());
    const auto run = [&] { return lamina_call(&loaded.call(), &context, data.views().data(), count); };
    if (!data.error().empty() || run() != LAMINA_OK)
        row.error = data.error().empty() ? context.message : data.error();
    else
        time_rounds(row, run, request.problem, options, target);
    lamina_context_release(&context);
    return row;
}

void print(const Row& row) {
    if (!row.error.empty()) {
        fmt::print("{}\n    {}: {}\n", row.problem, row.schedule.empty() ? "no schedule" : row.schedule,
                   row.error);
        return;
    }
    fmt::print("{}\n    {:<44} {:9.4f} ms +-{:2.0f}%  {:7.1f} GFLOP/s  {:5.3f} of peak (best {:5.3f})  "
               "{:5.3f} of copy  {:6.1f} KiB scratch"
               "  {:5.1f} KiB code  {:4.2f} s to compile\n",
               row.problem, row.schedule, row.timing.median * 1e3, 50 * row.timing.spread / row.timing.median,
               row.gflops, row.fraction, row.best_fraction, row.copy_fraction,
               static_cast<double>(row.scratch_bytes) / 1024, static_cast<double>(row.code_bytes) / 1024,
               row.compile_seconds);
}

double geomean(const std::vector<Row>& rows) {
    double sum = 0;
    int count = 0;
    for (const Row& row : rows)
        if (row.error.empty()) {
            sum += std::log(row.fraction);
            ++count;
        }
    return count == 0 ? 0 : std::exp(sum / count);
}

std::string write_json(const std::string& path, const std::vector<Row>& rows, const Peak& peak,
                       const TargetFacts& target) {
    nlohmann::json list = nlohmann::json::array();
    for (const Row& row : rows)
        list.push_back({{"problem", row.problem},
                        {"schedule", row.schedule},
                        {"reason", row.reason},
                        {"error", row.error},
                        {"median_seconds", row.timing.median},
                        {"best_seconds", row.timing.best},
                        {"spread_seconds", row.timing.spread},
                        {"gflops", row.gflops},
                        {"fraction_of_peak", row.fraction},
                        {"best_fraction_of_peak", row.best_fraction},
                        {"fraction_of_copy", row.copy_fraction},
                        {"scratch_bytes", row.scratch_bytes},
                        {"code_bytes", row.code_bytes},
                        {"compile_seconds", row.compile_seconds}});
    const nlohmann::json root{{"target", target.name},
                              {"peak_gflops", peak.gflops},
                              {"copy_gbytes", peak.copy_gbytes},
                              {"geomean_fraction_of_peak", geomean(rows)},
                              {"rows", list}};
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
std::vector<Row> measure_all(const std::vector<KernelRequest>& requests, const BenchOptions& options,
                             const TargetFacts& target, const Peak& peak) {
    std::vector<Row> rows;
    Progress progress(requests.size());
    for (const KernelRequest& request : requests) {
        progress.step(std::string(to_text(request.problem).view()));
        Row row = measure(request, options, target);
        if (row.error.empty())
            row.copy_fraction = static_cast<double>(bytes_moved(request.problem)) / row.timing.median / 1e9 /
                                peak.copy_gbytes;
        progress.clear();
        print(row);
        std::fflush(stdout);
        rows.push_back(std::move(row));
    }
    return rows;
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
    const Peak peak = measure_peak(*target);
    fmt::print("{} on {} thread(s); peak of one core {:.1f} GFLOP/s, copy {:.1f} GB/s\n", target->name,
               options.threads, peak.gflops, peak.copy_gbytes);
    const std::vector<Row> rows = measure_all(parsed.requests, options, *target, peak);
    fmt::print("geomean {:.3f} of peak; peak at the end {:.1f} GFLOP/s\n", geomean(rows),
               measure_gflops(*target));
    if (!options.json.empty())
        error = write_json(options.json, rows, peak, *target);
    if (!error.empty())
        return fail(exit_failed, error);
    const bool has_failed =
        std::any_of(rows.begin(), rows.end(), [](const Row& row) { return !row.error.empty(); });
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
