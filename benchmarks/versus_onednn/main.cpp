// lamina_versus_onednn: Lamina's kernels beside oneDNN's in one process, on the same data.
#include "benchmarks/versus_onednn/compare.hpp"
#include "benchmarks/versus_onednn/peer.hpp"
#include "generators/whole_file.hpp"
#include "tools/inputs.hpp"
#include "tools/progress.hpp"
#include "tuner/timing.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace lamina::versus {

namespace {

struct Options {
    std::vector<std::string> problems;
    std::string suite, target, records = tools::data_folder("records"), json, svg;
    std::vector<std::string> directions{"forward", "input_gradient", "kernel_gradient"};
    std::vector<int> threads;
    int batch = 0;
    double seconds = 0.3, patience = 4;
};

// That direction of a layer, a gradient of its sums alone, as oneDNN's primitives have no epilogue there;
// nothing where there is none.
std::optional<Problem> in_direction(Problem problem, const std::string& direction) {
    if (direction == "forward")
        return problem;
    const std::optional<Operator> op =
        operator_named(fmt::format("{}_{}", facts(problem.op).name, direction));
    if (!op)
        return {};
    problem.op = *op;
    problem.epilogue = {};
    problem.indices = problem.preactivation = false;
    return broken_rule(problem) == Rule::none ? std::optional(problem) : std::nullopt;
}

// Problems of the command line as they are, and all asked directions of the suite's; each once.
std::vector<KernelRequest> requests_of(const Options& options, std::string& error) {
    std::vector<KernelRequest> requests;
    const auto add = [&](const Problem& problem) {
        if (std::ranges::find(requests, problem, &KernelRequest::problem) == requests.end())
            requests.push_back({"lamina_kernel", problem, ""});
    };
    const auto parse = [&](const std::string& text) {
        tools::ParsedRequest parsed = tools::parse_request(text, "");
        if (parsed.request && options.batch > 0)
            parsed = tools::with_batch(*parsed.request, options.batch);
        if (!parsed.request)
            error = parsed.error;
        return parsed.request;
    };
    for (const std::string& text : options.problems)
        if (const auto request = parse(text))
            add(request->problem);
    if (options.suite.empty() || !error.empty())
        return requests;
    const std::vector<tools::SuiteProblem> suite = tools::read_suite(options.suite, error);
    for (const std::string& direction : options.directions)
        for (const tools::SuiteProblem& given : suite)
            if (const auto request = parse(given.problem))
                if (const auto problem = in_direction(request->problem, direction))
                    add(*problem);
    return requests;
}

std::vector<Comparison> compare_all(const std::vector<KernelRequest>& requests,
                                    const CompareConditions& conditions) {
    std::vector<Comparison> all;
    tools::Progress progress(requests.size());
    fmt::print("{}", line_head());
    for (const KernelRequest& request : requests) {
        progress.step(std::string(to_text(request.problem).view()));
        const std::vector<Comparison> some = compare(request, conditions);
        progress.clear();
        for (const Comparison& comparison : some)
            fmt::print("{}", line(comparison));
        std::fflush(stdout);
        all.insert(all.end(), some.begin(), some.end());
    }
    return all;
}

std::string write(const std::string& path, const std::string& text) {
    return path.empty() ? "" : write_whole_file(path, std::as_bytes(std::span(text)));
}

int run(Options options) {
    const TargetFacts* target = tools::target_or_fail(options.target);
    if (!target)
        return tools::exit_usage;
    if (!can_run_here(*target))
        return tools::fail(tools::exit_failed, fmt::format("target: this CPU cannot run {}", target->name));
    if (const std::string why = limit_peer(*target); !why.empty())
        return tools::fail(tools::exit_failed, why);
    std::string error;
    const std::vector<KernelRequest> requests = requests_of(options, error);
    if (error.empty() && requests.empty())
        error = "give at least one PROBLEM or --suite";
    for (const std::string& path : {options.json, options.svg})
        if (error.empty() && !path.empty())
            error = why_unwritable(path);
    if (!error.empty())
        return tools::fail(tools::exit_usage, error);
    if (options.threads.empty()) {
        options.threads = {1};
        if (const int cores = static_cast<int>(allowed_cores().size()); cores > 1)
            options.threads.push_back(cores);
    }
    tools::warn_of_broken_records(options.records, *target);
    fmt::print("{}, oneDNN {}; t: threads, GFLOP/s, scratch in KiB, fractions of the peak measured beside "
               "the calls, ratio: "
               "oneDNN's time over Lamina's\n",
               target->name, peer_version());
    const Report report{std::string(target->name), peer_version(),
                        compare_all(requests, {*target, options.records, options.threads, options.seconds,
                                               options.patience, CoreWatch()})};
    fmt::print("{}{}", summary(groups_of(report.comparisons)), origins(report.comparisons));
    error = write(options.json, json_text(report));
    if (error.empty())
        error = write(options.svg, picture(report));
    if (!error.empty())
        return tools::fail(tools::exit_failed, error);
    const bool has_failed =
        std::ranges::any_of(report.comparisons, [](const Comparison& c) { return !c.error.empty(); });
    return has_failed ? tools::exit_failed : tools::exit_ok;
}

} // namespace

} // namespace lamina::versus

int main(int argc, char** argv) {
    using namespace lamina;
    versus::Options options;
    CLI::App app{"Lamina's kernels and oneDNN's in one process: the same data, results compared with each "
                 "other, calls timed in turns.",
                 "lamina_versus_onednn"};
    app.add_option("PROBLEM", options.problems, "Problems, each one argument; gradients by their own names");
    app.add_option("--suite", options.suite, "Layers of a suite, a name in share/lamina/suites")
        ->type_name("NAME");
    app.add_option("--directions", options.directions, "What is computed of the suite's layers")
        ->check(CLI::IsMember({"forward", "input_gradient", "kernel_gradient"}))
        ->delimiter(',')
        ->capture_default_str();
    app.add_option("--threads", options.threads, "Threads of a call; default: 1, and all allowed cores")
        ->check(CLI::Range(1, 1024))
        ->delimiter(',');
    app.add_option("--batch", options.batch, "Images of a call, instead of the problems' own number")
        ->check(CLI::Range(1, 65536));
    app.add_option(
           "--target", options.target,
           "Target to compile for, whose vectors oneDNN is held to as well; default: the best this CPU "
           "runs")
        ->type_name("T");
    app.add_option("--seconds", options.seconds, "Time to spend on each contender")
        ->check(CLI::Range(0.001, 60.0))
        ->capture_default_str();
    app.add_option("--patience", options.patience,
                   "How many times as long to wait for calls that have their cores to themselves")
        ->check(CLI::Range(1.0, 1000.0))
        ->capture_default_str();
    app.add_option("--records", options.records, "Folder of schedule records; '' for none")
        ->type_name("DIR")
        ->capture_default_str();
    app.add_option("--json", options.json, "Also write the results to a file")->type_name("FILE");
    app.add_option("--svg", options.svg, "Also draw a pair of bars for each problem")->type_name("FILE");
    app.footer("Exit codes: 0 done, 1 something failed or results differ, 2 wrong usage.");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? tools::exit_ok : tools::exit_usage;
    }
    return versus::run(std::move(options));
}
