// lamina tune: searches each problem's best schedule on this machine and keeps what it finds as records.
#include "tools/command.hpp"
#include "tools/inputs.hpp"
#include "tools/progress.hpp"

#include "generators/whole_file.hpp"
#include "tools/emulation.hpp"
#include "tuner/journal.hpp"
#include "tuner/prediction.hpp"
#include "tuner/record_store.hpp"
#include "tuner/timing.hpp"
#include "tuner/tune.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <csignal>
#include <filesystem>
#include <map>

namespace lamina::tools {

namespace {

constexpr Exit exit_interrupted = static_cast<Exit>(130); // as shells report Ctrl-C

struct TuneCommand {
    std::vector<std::string> inputs;
    std::string suite, network, target, cpu, records = data_folder("records"), json;
    std::string budget; // "": a minute for each problem
    Strategy strategy = Strategy::guided;
    std::size_t points = 0;
    std::uint64_t seed = 1;
    bool resumes = false;
    bool predicts = false; // by the models alone
};

std::atomic<bool> stop_asked = false;

// The first Ctrl-C ends the search and keeps what it found; a second one ends the program.
void ask_to_stop(int) {
    stop_asked = true;
    std::signal(SIGINT, SIG_DFL);
}

// "90", "90s", "10m" or "2h" in seconds; nothing where it is none of these.
std::optional<double> seconds_of(const std::string& text) {
    std::size_t end = 0;
    double number = 0;
    try {
        number = std::stod(text, &end);
    } catch (const std::exception&) {
        return {};
    }
    const std::string unit = text.substr(end);
    const double factor = unit.empty() || unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
    if (!(number > 0) || factor == 0 || number * factor > 1e7)
        return {};
    return number * factor;
}

void print(const TuningResult& result, const std::string& stored) {
    fmt::print("{}\n    was   {} ({})\n", result.best.problem, result.incumbent, result.incumbent_reason);
    const Evidence& e = result.best.evidence;
    if (is_predicted(e))
        fmt::print("    {}, predicted for {}: {:.3f} of its time, {:.3f} of peak; {}\n",
                   result.is_better ? "now   " + result.best.schedule : "stays", e.cpu, result.ratio,
                   e.fraction_of_peak,
                   result.is_better ? "right under emulation, " + stored : "nothing better");
    else if (result.is_better)
        fmt::print("    now   {}: {:.3f} of its time, +-{:.3f}; {:.1f} GFLOP/s, {:.3f} of peak; {}\n",
                   result.best.schedule, result.ratio, result.noise, e.gflops, e.fraction_of_peak, stored);
    else
        fmt::print(
            "    stays; the best other took {:.3f} of its time, +-{:.3f}; {:.1f} GFLOP/s, {:.3f} of peak\n",
            result.ratio, result.noise, e.gflops, e.fraction_of_peak);
    std::map<std::string, int> refused;
    int refusals = 0;
    for (const Trial& trial : result.trials)
        if (!trial.error.empty()) {
            ++refused[trial.error];
            ++refusals;
        }
    fmt::print("    tried {} of {} schedules, {} refused\n", result.trials.size(), result.space, refusals);
    for (const auto& [reason, count] : refused)
        fmt::print("        {} times: {}\n", count, reason.substr(0, 200));
    std::fflush(stdout);
}

nlohmann::json to_json(const TuningResult& result, double seconds) {
    nlohmann::json trials = nlohmann::json::array();
    for (const Trial& trial : result.trials)
        trials.push_back({{"schedule", trial.schedule},
                          {"expected_cycles", trial.expected_cycles},
                          {"predicted_cycles", trial.predicted_cycles},
                          {"ratio", trial.ratio},
                          {"error", trial.error}});
    return {{"problem", result.best.problem},
            {"error", result.error},
            {"space", result.space},
            {"incumbent", result.incumbent},
            {"best", result.best.schedule},
            {"is_better", result.is_better},
            {"ratio", result.ratio},
            {"noise", result.noise},
            {"gflops", result.best.evidence.gflops},
            {"fraction_of_peak", result.best.evidence.fraction_of_peak},
            {"seconds", seconds},
            {"trials", trials}};
}

struct Session {
    const TuneCommand& command;
    const TargetFacts& target;
    std::vector<KernelRequest> problems;
    double seconds; // for all of them
    nlohmann::json report = nlohmann::json::array();

    Exit tune_all();
    TuningResult predicted(const Problem& problem, const TuningOptions& options);
    Exit tune_one(const KernelRequest& kernel, Progress& progress, double share);
};

// A problem gets what is left of the time, divided by the problems left.
Exit Session::tune_all() {
    const Journal journal(command.records, target);
    Progress progress(problems.size());
    const double begin = now_seconds();
    Exit worst = exit_ok;
    for (std::size_t i = 0; i < problems.size() && !stop_asked; ++i) {
        const std::string name(to_text(problems[i].problem).view());
        progress.step(name);
        if (command.resumes && journal.holds(problems[i].problem)) {
            progress.clear();
            fmt::print("{}\n    was tuned before\n", name);
            continue;
        }
        const double left = seconds - (now_seconds() - begin);
        const Exit code =
            tune_one(problems[i], progress, std::max(left, 0.0) / static_cast<double>(problems.size() - i));
        worst = std::max(worst, code);
        if (code != exit_ok || stop_asked)
            continue;
        if (const std::string error = journal.add(problems[i].problem); !error.empty())
            worst = std::max(worst, exit_failed), fail(exit_failed, error);
    }
    if (!command.json.empty()) {
        const std::string text = report.dump(1) + "\n";
        if (const std::string error = write_whole_file(command.json, std::as_bytes(std::span(text)));
            !error.empty())
            return fail(exit_failed, error), exit_failed;
    }
    return stop_asked ? exit_interrupted : worst;
}

// The same for a CPU that is not here. A record that was measured on one is better evidence than any
// prediction.
TuningResult Session::predicted(const Problem& problem, const TuningOptions& options) {
    TuningResult refused;
    const std::string name(to_text(problem).view());
    for (const Record& record : load_records(records_path(command.records, target)).records)
        if (record.problem == name && !is_predicted(record.evidence))
            refused.error = "its record was measured; a prediction does not replace it";
    const EmulationReference reference = emulation_reference(problem);
    if (refused.error.empty())
        refused.error = reference.error;
    if (!refused.error.empty())
        return refused;
    const auto why_wrong = [&](const CompiledKernel& compiled) {
        return can_run_here(target) ? "" : why_wrong_emulated(compiled, target, reference.outputs);
    };
    return predict(problem, {&target, command.cpu, options.records, options.seconds, options.points,
                             options.stop, options.on_progress, why_wrong});
}

Exit Session::tune_one(const KernelRequest& kernel, Progress& progress, double share) {
    TuningOptions options;
    options.target = &target;
    options.records = command.records;
    options.seconds = share;
    options.points = command.points;
    options.strategy = command.strategy;
    options.seed = command.seed;
    options.stop = &stop_asked;
    const std::string name(to_text(kernel.problem).view());
    options.on_progress = [&](const TuningState& state) {
        progress.stands(fmt::format("{} of {} tried, {:.0f} s left, best {:.3f} of the time: {}; {}",
                                    state.tried, state.limit, state.seconds_left, state.best_ratio,
                                    state.best, name));
    };
    const double begin = now_seconds();
    const TuningResult result =
        command.predicts ? predicted(kernel.problem, options) : tune(kernel.problem, options);
    progress.clear();
    if (!result.error.empty()) {
        fail(exit_failed, fmt::format("{}: {}", name, result.error));
        return exit_failed;
    }
    std::string stored = "stored", error;
    if (result.is_better)
        error = store_record(command.records, target, result.best, result.incumbent);
    print(result, error.empty() ? stored : "not stored");
    report.push_back(to_json(result, now_seconds() - begin));
    if (!error.empty())
        fail(exit_failed, error);
    return error.empty() ? exit_ok : exit_failed;
}

// Kernels are timed where this CPU runs them, and elsewhere predicted for a CPU that is named.
std::string why_not_tunable(const TuneCommand& command, const TargetFacts& target) {
    if (target.is_gpu)
        return fmt::format("target: {} is a device, whose kernels are neither timed nor predicted",
                           target.name);
    if (!command.predicts)
        return command.cpu.empty() ? ""
                                   : fmt::format("--cpu {}: this machine runs {} itself, and times it; to "
                                                 "predict all the same give --predict",
                                                 command.cpu, target.name);
    const CpuChoice cpu = choose_cpu(target, command.cpu);
    if (!cpu.error.empty())
        return cpu.error;
    return can_run_here(target) ? "" : why_not_emulated(target);
}

int run_tune(TuneCommand command) {
    const TargetFacts* target = target_or_fail(command.target);
    if (!target)
        return exit_usage;
    InputKernels problems = all_kernels_of(command.inputs, command.suite, command.network);
    if (problems.error.empty() && problems.kernels.empty())
        problems.error = "tune: give at least one PROBLEM, a HEADER or --suite";
    if (!problems.error.empty())
        return fail(problems.code, problems.error);
    const std::optional<double> seconds = command.budget.empty()
                                              ? 60.0 * static_cast<double>(problems.kernels.size())
                                              : seconds_of(command.budget);
    if (!seconds)
        return fail(exit_usage, fmt::format("--budget {}: a time such as 90s, 10m or 2h is expected",
                                            in_quotes(command.budget).view()));
    command.predicts = command.predicts || !can_run_here(*target);
    if (const std::string reason = why_not_tunable(command, *target); !reason.empty())
        return fail(exit_usage, reason);
    std::error_code error;
    std::filesystem::create_directories(command.records, error);
    for (const std::string& path : {records_path(command.records, *target), command.json})
        if (const std::string reason = path.empty() ? "" : why_unwritable(path); !reason.empty())
            return fail(exit_usage, reason);
    if (const std::string reason = why_not_storable(command.records, *target); !reason.empty())
        return fail(exit_usage, reason);
    warn_of_broken_records(command.records, *target);
    std::signal(SIGINT, ask_to_stop);
    std::signal(SIGTERM, ask_to_stop);
    Session session{command, *target, problems.kernels, *seconds, {}};
    return session.tune_all();
}

} // namespace

Subcommand add_tune(CLI::App& root) {
    auto command = std::make_shared<TuneCommand>();
    CLI::App* app = root.add_subcommand(
        "tune", "Search the best schedule of each problem on this machine and keep it as a record");
    app->add_option(
        "INPUT", command->inputs,
        "PROBLEMs, or a C++ header with a constexpr network, or a text file with lines NAME: PROBLEM");
    app->add_option("--suite", command->suite,
                    "Problems of a suite, a name in share/lamina/suites; NAME:kernel_gradient and the like: "
                    "their gradients")
        ->type_name("NAME");
    app->add_option("--network", command->network,
                    "The network's variable in a header; default: the header's name and _network");
    app->add_option("--target", command->target,
                    "Target to tune for, see `lamina list targets`; default: the best this CPU runs")
        ->type_name("T");
    app->add_option(
           "--cpu", command->cpu,
           "CPU to predict for, where the target's code does not run here: a name of LLVM's, such as "
           "cortex-a76")
        ->type_name("CPU");
    app->add_flag("--predict", command->predicts, "Predict by the models, also where kernels could be timed");
    app->add_option("--budget", command->budget,
                    "Time for all problems together: 90s, 10m, 2h; default: a minute for each")
        ->type_name("TIME");
    app->add_option("--records", command->records, "Folder that gets the records, one JSON file per target")
        ->type_name("DIR")
        ->capture_default_str();
    add_schedules_option(*app);
    app->add_flag("--resume", command->resumes, "Leave out what was tuned before, with the same versions");
    const std::map<std::string, Strategy> strategies{
        {"guided", Strategy::guided}, {"random", Strategy::random}, {"exhaustive", Strategy::exhaustive}};
    app->add_option("--strategy", command->strategy,
                    "guided: by the families' models and around the best so far; random; exhaustive: by the "
                    "models, without an end")
        ->transform(CLI::CheckedTransformer(strategies, CLI::ignore_case).description(""))
        ->type_name("NAME")
        ->default_str("guided");
    app->add_option("--points", command->points,
                    "Schedules to try per problem; default: a tenth of the legal ones, at least 24");
    app->add_option("--seed", command->seed, "For the random strategy")->capture_default_str();
    app->add_option("--json", command->json, "File for all that was tried")->type_name("FILE");
    app->footer(
        "A record is stored only where the schedule beats the one that the problem would get anyway by "
        "more than the\nnoise of the measurement. Ctrl-C ends the search and keeps what was found; all "
        "records are written whole.\nFor a target that this CPU does not run, schedules are compiled and "
        "ranked "
        "by LLVM's model of the CPU; the winner's\nresults are checked under an emulator, and its record "
        "says "
        "that it was predicted.");
    return {app, [command] { return run_tune(*command); }};
}

} // namespace lamina::tools
