// lamina compile: problems or a header's network as an archive and a header, for any build system.
#include "tools/command.hpp"
#include "tools/family_file.hpp"
#include "tools/inputs.hpp"
#include "tools/progress.hpp"

#include "generators/library.hpp"
#include "lamina/name.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <filesystem>

namespace lamina::tools {

namespace {

struct CompileCommand {
    std::vector<std::string> inputs;
    std::string folder = ".", name, network, records = data_folder("records"), schedule, loss, optimiser;
    std::vector<std::string> targets, variants;
    bool with_runtime = false, instrument = false;
};

// Gives kernels without a schedule the command's, adds the variants, and loads what schedules name by file;
// returns what is wrong, or "".
std::string complete(std::vector<KernelRequest>& kernels, const CompileCommand& command) {
    for (KernelRequest& kernel : kernels)
        kernel.schedule = kernel.schedule.empty() ? command.schedule : kernel.schedule;
    std::vector<Variant> variants;
    for (const std::string& text : command.variants) {
        variants.push_back(parse_variant(text));
        if (!detail::is_c_identifier(variants.back().name))
            return fmt::format("variant {}: must be of the form NAME: SCHEDULE, NAME a C identifier",
                               in_quotes(text).view());
    }
    kernels = with_variants(kernels, variants);
    for (KernelRequest& kernel : kernels) {
        ResolvedSchedule resolved = resolve_schedule(kernel.schedule);
        if (!resolved.error.empty())
            return fmt::format("{}: {}", kernel.name, resolved.error);
        kernel.schedule = std::move(resolved.text);
    }
    return "";
}

struct CheckedRequest {
    LibraryRequest request;
    std::string error;
    Exit code = exit_usage; // of the error
};

// What the command line asks for, checked as far as that takes no compilation.
CheckedRequest request_of(const CompileCommand& command) {
    const OrderedTargets ordered = order_targets(
        command.targets.empty() ? std::vector{std::string(host_target_name())} : command.targets);
    if (!ordered.error.empty())
        return {{}, ordered.error};
    CheckedRequest checked{.request = {.name = command.name,
                                       .kernels = {},
                                       .network = {},
                                       .targets = ordered.targets,
                                       .records = command.records,
                                       .folder = command.folder,
                                       .with_runtime = command.with_runtime,
                                       .instrument_addresses = command.instrument,
                                       .on_kernel = {}},
                           .error = {}};
    LibraryRequest& request = checked.request;
    int networks = 0;
    for (std::size_t i = 0; i < command.inputs.size(); ++i) {
        InputKernels input = kernels_of(command.inputs[i], {command.network, command.schedule}, i);
        if (!input.error.empty())
            return {{}, std::move(input.error), input.code};
        request.kernels.insert(request.kernels.end(), input.kernels.begin(), input.kernels.end());
        networks += input.network.empty() ? 0 : 1;
        request.network.layers = networks == 1 ? std::move(input.network) : std::vector<NetworkLayer>();
    }
    if (!command.loss.empty() && networks != 1)
        return {{}, fmt::format("--loss: needs one network, {} were given", networks)};
    request.network.loss = command.loss;
    request.network.optimiser = command.optimiser.empty() ? "sgd" : command.optimiser;
    if (request.name.empty())
        request.name = is_problem(command.inputs[0])
                           ? "kernels"
                           : std::filesystem::path(command.inputs[0]).stem().string();
    checked.error = complete(request.kernels, command);
    if (checked.error.empty())
        checked.error = why_invalid(request);
    return checked;
}

int compile(const CompileCommand& command) {
    auto [request, reason, code] = request_of(command);
    if (!reason.empty())
        return fail(code, reason);
    std::error_code error;
    std::filesystem::create_directories(command.folder, error);
    if (error)
        return fail(exit_failed, fmt::format("{}: {}", command.folder, error.message()));
    for (const TargetFacts* target : request.targets)
        warn_of_broken_records(command.records, *target);
    Progress progress(kernel_count(request));
    request.on_kernel = [&](const std::string& kernel) { progress.step(kernel); };
    const Library library = compile_library(request);
    progress.clear();
    if (!library.error.empty())
        return fail(exit_failed, library.error);
    for (const std::string& file : library.files)
        fmt::print("{}\n", file);
    return exit_ok;
}

} // namespace

Subcommand add_compile(CLI::App& root) {
    auto command = std::make_shared<CompileCommand>();
    CLI::App* app =
        root.add_subcommand("compile", "Write kernels as NAME.a and NAME.h, for any build system");
    app->add_option("INPUT", command->inputs,
                    "PROBLEMs, or a C++ header with a constexpr network, or a text file with lines NAME: "
                    "PROBLEM [; SCHEDULE]")
        ->required();
    app->add_option("-o,--output", command->folder, "Folder for the files, made where it is missing")
        ->type_name("DIR");
    app->add_option("--name", command->name,
                    "Name of the library: the files, the C prefix, the C++ namespace; default: the input "
                    "file's, or `kernels`");
    app->add_option(
        "--network", command->network,
        "The network's variable in a header, with its namespace; default: the header's name and _network");
    app->add_option("--loss", command->loss,
                    "Also functions that train the network with that loss: softmax_cross_entropy or "
                    "mean_squared_error")
        ->type_name("LOSS");
    app->add_option("--optimiser", command->optimiser, "What updates its weights: sgd or adam; default: sgd")
        ->type_name("OPTIMISER")
        ->needs("--loss");
    app->add_option("--target", command->targets,
                    "Instruction sets, one kernel each, the best one chosen when the app runs")
        ->type_name("T,T,...")
        ->delimiter(',');
    app->add_option("--records", command->records, "Folder of schedule records")
        ->type_name("DIR")
        ->capture_default_str();
    app->add_option("--schedule", command->schedule, "Schedule for every kernel that has none of its own")
        ->type_name("FAMILY|FILE.cpp[:FAMILY][,KNOB:VALUE...]");
    app->add_option(
           "--variant", command->variants,
           "A further function KERNEL_NAME of every kernel, with that schedule; again for each further "
           "one")
        ->type_name("NAME:SCHEDULE")
        ->allow_extra_args(false);
    add_schedules_option(*app);
    app->add_flag("--with-runtime", command->with_runtime,
                  "Also write Halide's runtime for these targets, as halide_runtime.o; lamina_runtime has it "
                  "for this machine");
    app->add_flag("--asan", command->instrument, "Instrument the kernels for the address sanitizer");
    app->footer(
        "A header's network becomes a function infer() beside those of its layers; see docs/networks.md. "
        "Link NAME.a and lamina_runtime. A header is compiled with $CXX, or c++.");
    return {app, [command] { return compile(*command); }};
}

} // namespace lamina::tools
