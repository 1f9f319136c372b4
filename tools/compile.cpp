// lamina compile: problems or a header's network as an archive and a header, for any build system.
#include "tools/command.hpp"
#include "tools/describe_network.hpp"
#include "tools/family_file.hpp"
#include "tools/progress.hpp"

#include "generators/library.hpp"
#include "lamina/name.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace lamina::tools {

namespace {

struct CompileCommand {
    std::vector<std::string> inputs;
    std::string folder = ".", name, network, records = data_folder("records"), schedule;
    std::vector<std::string> targets, variants;
    bool with_runtime = false, instrument = false;
};

bool is_problem(const std::string& text) {
    return text.find('=') != std::string::npos;
}

// The text of a file that lists kernels; nothing where it cannot be read.
std::optional<std::string> read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file || std::filesystem::is_directory(path))
        return {};
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

// A problem, a header with a network, or a text file with lines `NAME: PROBLEM`.
ParsedKernels kernels_of(const std::string& input, const CompileCommand& command, std::size_t number) {
    if (is_problem(input)) {
        const std::string name = number == 0 ? "run" : fmt::format("run{}", number + 1);
        const ParsedRequest parsed = parse_request(input, "", name);
        return parsed.request ? ParsedKernels{{*parsed.request}, ""} : ParsedKernels{{}, parsed.error};
    }
    const std::filesystem::path path(input);
    const std::string extension = path.extension().string();
    if (extension == ".hpp" || extension == ".h" || extension == ".hh") {
        const Description description = describe_network(
            input, command.network.empty() ? path.stem().string() + "_network" : command.network);
        return description.error.empty() ? parse_kernels(description.lines)
                                         : ParsedKernels{{}, description.error};
    }
    const std::optional<std::string> text = read_text(input);
    if (!text)
        return {{}, fmt::format("{}: neither a problem nor a readable file", in_quotes(input).view())};
    ParsedKernels parsed = parse_kernels(*text);
    if (!parsed.error.empty())
        parsed.error = fmt::format("{}: {}", input, parsed.error);
    return parsed;
}

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

int compile(CompileCommand command) {
    const OrderedTargets ordered = order_targets(
        command.targets.empty() ? std::vector{std::string(host_target_name())} : command.targets);
    if (!ordered.error.empty())
        return fail(exit_usage, ordered.error);
    LibraryRequest request{command.name,       {}, ordered.targets, command.records, command.folder,
                           command.instrument, {}};
    for (std::size_t i = 0; i < command.inputs.size(); ++i) {
        ParsedKernels parsed = kernels_of(command.inputs[i], command, i);
        if (!parsed.error.empty())
            return fail(exit_usage, parsed.error);
        request.kernels.insert(request.kernels.end(), parsed.kernels.begin(), parsed.kernels.end());
    }
    if (request.name.empty())
        request.name = is_problem(command.inputs[0])
                           ? "kernels"
                           : std::filesystem::path(command.inputs[0]).stem().string();
    if (const std::string reason = complete(request.kernels, command); !reason.empty())
        return fail(exit_usage, reason);
    if (const std::string reason = why_invalid(request); !reason.empty())
        return fail(exit_usage, reason);
    std::error_code error;
    std::filesystem::create_directories(command.folder, error);
    if (error)
        return fail(exit_failed, fmt::format("{}: {}", command.folder, error.message()));
    Progress progress(request.kernels.size());
    request.on_kernel = [&](const std::string& kernel) { progress.step(kernel); };
    const Library library = compile_library(request);
    progress.clear();
    if (!library.error.empty())
        return fail(exit_failed, library.error);
    fmt::print("{}\n{}\n", library.archive, library.header);
    if (command.with_runtime) {
        const std::string object = fmt::format("{}/halide_runtime.o", command.folder);
        const std::string failure = compile_halide_runtime(ordered.targets, object);
        if (!failure.empty())
            return fail(exit_failed, failure);
        fmt::print("{}\n", object);
    }
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
    app->footer("Link NAME.a and lamina_runtime. A header is compiled with $CXX, or c++.");
    return {app, [command] { return compile(*command); }};
}

} // namespace lamina::tools
