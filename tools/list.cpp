// lamina list: what there is to name on the command line.
#include "tools/command.hpp"
#include "tools/inputs.hpp"

#include "schedules/records.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace lamina::tools {

namespace {

// As a cell of a Markdown table, where a bar would end it.
std::string in_cell(std::string_view text) {
    std::string cell;
    for (char c : text)
        cell += c == '|' ? std::string("\\|") : std::string(1, c);
    return cell;
}

int list_operators(bool as_markdown) {
    if (as_markdown)
        fmt::print("| operator | meaning | formula | keys |\n|---|---|---|---|\n");
    for (const OperatorFacts& row : operator_table) {
        const Text keys = detail::key_names(row.op);
        if (as_markdown) {
            fmt::print("| `{}` | {} | `{}` | {} |\n", row.name, row.meaning, in_cell(row.formula),
                       keys.view());
            continue;
        }
        fmt::print("{}\n    {}\n    {}\n    keys: {}\n", row.name, row.meaning, row.formula, keys.view());
    }
    fmt::print("{}", as_markdown ? "\n| key | value | meaning |\n|---|---|---|\n" : "\nkeys\n");
    for (const Key& key : key_table) {
        const std::string form = as_markdown ? in_cell(key.form) : std::string(key.form);
        fmt::print(fmt::runtime(as_markdown ? "| `{}` | `{}` | {} |\n" : "    {:<15} {:<42} {}\n"), key.name,
                   form, key.meaning);
    }
    return exit_ok;
}

int list_families() {
    for (const Family* family : family_table()) {
        fmt::print("{}\n    {}\n", family->name, family->meaning);
        for (const Knob& knob : family->knobs)
            fmt::print("    {:<12} {}\n", knob.name, knob.meaning);
    }
    return exit_ok;
}

int list_targets() {
    const std::string_view host = host_target_name();
    for (const TargetFacts& target : target_table())
        fmt::print("{:<22} {} registers of {} bytes, L1 {} KiB, L2 {} KiB; {}{}\n", target.name,
                   target.vector_registers, target.vector_bytes, target.l1_bytes >> 10, target.l2_bytes >> 10,
                   target.machines, target.name == host ? "; this machine" : "");
    return exit_ok;
}

struct ListOptions {
    std::string what, records = data_folder("records"), target, suite, network;
    std::vector<std::string> inputs; // whose records are wanted
    bool as_markdown = false;
};

// "12 days old", or "" where the date is none.
std::string age_of(const std::string& date) {
    std::tm day{};
    if (!strptime(date.c_str(), "%Y-%m-%d", &day))
        return "";
    const double days = std::difftime(std::time(nullptr), timegm(&day)) / 86400;
    return fmt::format(", {} days old", static_cast<long>(std::max(days, 0.0)));
}

void print(const TargetFacts& target, const Record& record) {
    const Evidence& e = record.evidence;
    fmt::print("{}  {}\n    {}\n    {:.3f} of peak, {:.1f} GFLOP/s", target.name, record.problem,
               record.schedule, e.fraction_of_peak, e.gflops);
    if (e.over_default > 0)
        fmt::print(", {:.3f} times the default's speed", e.over_default);
    fmt::print("; {}, {}, {}{}, by {}\n", e.cpu, e.versions, e.date, age_of(e.date), e.by);
}

void print(const TargetFacts& target, const OutdatedRecord& entry) {
    print(target, entry.record);
    fmt::print("    does not fit: {}\n", entry.reason);
}

// Prints the records of a target, and returns whether all could be read.
bool list_records_of(const TargetFacts& target, const ListOptions& options) {
    const RecordFile file = load_records(records_path(options.records, target));
    for (const std::string& warning : file.unreadable)
        fmt::print(stderr, "lamina: {}\n", warning);
    for (const Record& record : file.records)
        print(target, record);
    for (const OutdatedRecord& entry : file.outdated)
        print(target, entry);
    return file.unreadable.empty();
}

// What the named problems have on one target, and what is missing.
int list_coverage(const ListOptions& options) {
    const TargetFacts* target = target_or_fail(options.target);
    if (!target)
        return exit_usage;
    const InputKernels kernels = all_kernels_of(options.inputs, options.suite, options.network);
    if (!kernels.error.empty())
        return fail(kernels.code, kernels.error);
    const RecordFile file = load_records(records_path(options.records, *target));
    std::size_t missing = 0;
    for (const KernelRequest& kernel : kernels.kernels) {
        const std::string problem(to_text(kernel.problem).view());
        const auto own = std::ranges::find(file.records, problem, &Record::problem);
        if (own != file.records.end()) {
            print(*target, *own);
            continue;
        }
        ++missing;
        for (const OutdatedRecord& entry : file.outdated)
            if (entry.record.problem == problem)
                print(*target, entry);
        const Choice choice = choose_schedule({kernel.problem, target}, "", options.records);
        fmt::print("{}  {}\n    no record; {}\n", target->name, problem,
                   choice.error.empty() ? choice.reason : choice.error);
    }
    fmt::print("{} of {} problems have no record for {}\n", missing, kernels.kernels.size(), target->name);
    return exit_ok;
}

int list_records(const ListOptions& options) {
    if (!options.inputs.empty() || !options.suite.empty())
        return list_coverage(options);
    const TargetFacts* only = nullptr;
    if (!options.target.empty() && !(only = target_or_fail(options.target)))
        return exit_usage;
    bool is_whole = true;
    for (const TargetFacts& target : target_table())
        if (!only || only == &target)
            is_whole = list_records_of(target, options) && is_whole;
    return is_whole ? exit_ok : exit_failed;
}

} // namespace

Subcommand add_list(CLI::App& root) {
    auto options = std::make_shared<ListOptions>();
    CLI::App* app =
        root.add_subcommand("list", "Show operators and keys, schedule families, targets, or records");
    app->add_option("WHAT", options->what, "operators, families, targets or records")
        ->required()
        ->check(CLI::IsMember({"operators", "families", "targets", "records"}));
    app->add_option("--records", options->records, "Folder of schedule records")
        ->type_name("DIR")
        ->capture_default_str();
    app->add_option("INPUT", options->inputs,
                    "With `records`: problems or a header with a network, to see what has none");
    app->add_option("--suite", options->suite, "With `records`: the problems of a suite")->type_name("NAME");
    app->add_option("--network", options->network, "The network's variable in a header");
    app->add_option("--target", options->target, "With `records`: one target only; for problems, the host's")
        ->type_name("T");
    add_schedules_option(*app);
    app->add_flag("--markdown", options->as_markdown, "Operators as the documentation's tables");
    return {app, [options] {
                if (options->what == "operators")
                    return list_operators(options->as_markdown);
                if (options->what == "families")
                    return list_families();
                return options->what == "targets" ? list_targets() : list_records(*options);
            }};
}

} // namespace lamina::tools
