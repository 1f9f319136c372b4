// lamina list: what there is to name on the command line.
#include "tools/command.hpp"

#include "schedules/records.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

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

int list_records(const std::string& folder) {
    bool has_warnings = false;
    for (const TargetFacts& target : target_table()) {
        const RecordFile file = load_records(records_path(folder, target));
        for (const std::string& warning : file.warnings)
            fmt::print(stderr, "lamina: {}\n", warning);
        has_warnings = has_warnings || !file.warnings.empty();
        for (const Record& record : file.records)
            fmt::print("{}  {}\n    {}  {:.3f} of peak, {:.1f} GFLOP/s on {}, {} by {}\n", target.name,
                       record.problem, record.schedule, record.evidence.fraction_of_peak,
                       record.evidence.gflops, record.evidence.cpu, record.evidence.date, record.evidence.by);
    }
    return has_warnings ? exit_failed : exit_ok;
}

} // namespace

Subcommand add_list(CLI::App& root) {
    struct Options {
        std::string what, records = data_folder("records");
        bool as_markdown = false;
    };
    auto options = std::make_shared<Options>();
    CLI::App* app =
        root.add_subcommand("list", "Show operators and keys, schedule families, targets, or records");
    app->add_option("WHAT", options->what, "operators, families, targets or records")
        ->required()
        ->check(CLI::IsMember({"operators", "families", "targets", "records"}));
    app->add_option("--records", options->records, "Folder of schedule records")
        ->type_name("DIR")
        ->capture_default_str();
    add_schedules_option(*app);
    app->add_flag("--markdown", options->as_markdown, "Operators as the documentation's tables");
    return {app, [options] {
                if (options->what == "operators")
                    return list_operators(options->as_markdown);
                if (options->what == "families")
                    return list_families();
                return options->what == "targets" ? list_targets() : list_records(options->records);
            }};
}

} // namespace lamina::tools
