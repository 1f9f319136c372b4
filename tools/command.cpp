#include "tools/command.hpp"

#include "schedules/records.hpp"
#include "tools/family_file.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <filesystem>

namespace lamina::tools {

int fail(Exit code, const std::string& message) {
    fmt::print(stderr, "lamina: {}\n", message);
    return code;
}

std::string data_folder(const std::string& name) {
    std::error_code error;
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
    return (self.parent_path().parent_path() / "share" / "lamina" / name).string();
}

namespace {

// Loads the file that a schedule names, so that the text names a family.
CLI::Validator family_file() {
    return {[](std::string& text) {
                ResolvedSchedule resolved = resolve_schedule(text);
                text = std::move(resolved.text);
                return resolved.error;
            },
            ""};
}

} // namespace

void KernelOptions::add_to(CLI::App& app, bool many_schedules) {
    app.add_option("--target", target,
                   "Target to compile for, see `lamina list targets`; default: the best this CPU runs")
        ->type_name("T");
    app.add_option("--records", records, "Folder of schedule records, one JSON file per target; '' for none")
        ->type_name("DIR")
        ->capture_default_str();
    auto* schedule =
        app.add_option(
               "--schedule", schedules,
               many_schedules
                   ? "Schedule to try instead of the looked-up one, again for each further one"
                   : "Schedule to use instead of the looked-up one, e.g. direct,vectors:2,positions:6")
            ->type_name("FAMILY|FILE.cpp[:FAMILY][,KNOB:VALUE...]")
            ->transform(family_file())
            ->allow_extra_args(false);
    if (!many_schedules)
        schedule->expected(1);
    add_schedules_option(app);
}

void add_schedules_option(CLI::App& app) {
    const auto load = [](const std::vector<std::string>& files) {
        for (const std::string& file : files)
            if (const std::string error = load_families(file).error; !error.empty())
                throw CLI::ValidationError("--schedules", error);
    };
    app.add_option_function<std::vector<std::string>>(
           "--schedules", load, "C++ files with schedule families of your own, which then can be named")
        ->type_name("FILE,...")
        ->delimiter(',')
        ->allow_extra_args(false);
}

ParsedRequest parse_request(const std::string& problem, const std::string& schedule,
                            const std::string& name) {
    const ParsedProblem parsed = parse_problem(problem);
    if (!parsed.ok())
        return {{}, std::string(parsed.error.view())};
    return {KernelRequest{name, parsed.problem, schedule}, ""};
}

ParsedRequest with_batch(KernelRequest request, int batch) {
    request.problem.in.batch = batch;
    // The rules are asked again: of sizes that were fine for one image, sixty thousand may be too many.
    return parse_request(std::string(to_text(request.problem).view()), request.schedule, request.name);
}

const TargetFacts* target_or_fail(const std::string& name) {
    const OrderedTargets ordered = order_targets({name.empty() ? std::string(host_target_name()) : name});
    if (!ordered.error.empty()) {
        fail(exit_usage, ordered.error);
        return nullptr;
    }
    return ordered.targets[0];
}

void warn_of_broken_records(const std::string& records, const TargetFacts& target) {
    for (const std::string& warning : load_records(records_path(records, target)).warnings())
        fmt::print(stderr, "lamina: {}\n", warning);
}

} // namespace lamina::tools
