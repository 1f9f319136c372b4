// lamina run: one problem on npy files.
#include "tools/command.hpp"
#include "tools/npy.hpp"
#include "tuner/loaded_kernel.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>

namespace lamina::tools {

namespace {

struct RunOptions {
    KernelOptions kernel;
    std::string problem;
    std::vector<std::string> files; // OPERAND=FILE
    int threads = 1;
};

using Files = std::map<std::string, std::string, std::less<>>;

// The operand's shape with the call's batch in the place of an open one.
std::vector<std::int64_t> shape_of(const Operand& operand, std::int64_t batch) {
    std::vector<std::int64_t> shape(operand.shape.begin(), operand.shape.begin() + operand.rank);
    if (shape[0] == open_batch)
        shape[0] = batch;
    return shape;
}

std::string operand_names(const Operands& list) {
    std::string names;
    for (const Operand& operand : list)
        names += fmt::format("{}{}", names.empty() ? "" : ", ", operand.name);
    return names;
}

// Sorts OPERAND=FILE arguments; returns what is wrong with them, or "".
std::string sort_files(const std::vector<std::string>& arguments, const Operands& list, Files& files) {
    for (const std::string& argument : arguments) {
        const std::size_t equals = argument.find('=');
        const std::string name = argument.substr(0, equals);
        if (equals == std::string::npos || equals + 1 == argument.size())
            return fmt::format("{}: expected OPERAND=FILE.npy", in_quotes(argument).view());
        if (!list.find(name))
            return fmt::format("unknown operand {}; this problem has {}", in_quotes(name).view(),
                               operand_names(list));
        if (!files.emplace(name, argument.substr(equals + 1)).second)
            return fmt::format("{}: given twice", name);
    }
    for (const Operand& operand : list)
        if (!files.contains(operand.name))
            return fmt::format("{0}: missing; give {0}=FILE.npy", operand.name);
    return "";
}

// Two outputs in one file would leave only the second one; returns what is wrong, or "".
std::string check_outputs(const Operands& list, const Files& files) {
    std::map<std::filesystem::path, std::string_view> owners;
    for (const Operand& operand : list) {
        if (operand.direction == Direction::in)
            continue;
        const std::string& file = files.find(operand.name)->second;
        std::error_code ignored;
        const auto [owner, is_first] = owners.emplace(
            std::filesystem::weakly_canonical(std::filesystem::absolute(file), ignored), operand.name);
        if (!is_first && std::filesystem::is_character_file(file, ignored))
            continue;
        if (!is_first)
            return fmt::format("{}: the same file as {}: {}", operand.name, owner->second, file);
    }
    return "";
}

Array::Type array_type(Type type) {
    return type == Type::i32 ? Array::Type::i32 : Array::Type::f32;
}

// The arrays of one call, read or made, and views of them.
class Arrays {
public:
    // Reads the inputs and makes the outputs; returns what is wrong, or "".
    std::string load(const Operands& list, const Files& files);
    std::string save(const Operands& list, const Files& files) const;
    lamina_view view(std::string_view name);

private:
    std::map<std::string, Array, std::less<>> arrays_;
    std::int64_t batch_ = 0; // 0 until an operand settles it

    std::int64_t images() const { return std::max<std::int64_t>(batch_, 1); }

    std::string load_input(const Operand& operand, const std::string& file);
};

std::string Arrays::load_input(const Operand& operand, const std::string& file) {
    LoadedArray loaded = read_npy(file);
    if (!loaded.array)
        return loaded.error;
    Array& array = *loaded.array;
    // The first operand with images settles how many there are.
    if (operand.rank == 4 && operand.shape[0] == open_batch && !array.shape.empty() && array.shape[0] > 0 &&
        batch_ == 0)
        batch_ = array.shape[0];
    const std::vector<std::int64_t> expected = shape_of(operand, images());
    if (array.type != array_type(operand.type))
        return fmt::format("{}: operand '{}' has element type {}, expected {}", file, operand.name,
                           array.type == Array::Type::i32 ? "i32" : "f32", name_of(operand.type));
    if (array.shape != expected)
        return fmt::format("{}: operand '{}' has shape ({}), expected ({})", file, operand.name,
                           fmt::join(array.shape, ", "), fmt::join(expected, ", "));
    arrays_.emplace(operand.name, std::move(array));
    return "";
}

std::string Arrays::load(const Operands& list, const Files& files) {
    for (const Operand& operand : list)
        if (operand.direction == Direction::in)
            if (std::string error = load_input(operand, files.find(operand.name)->second); !error.empty())
                return error;
    for (const Operand& operand : list)
        if (operand.direction == Direction::out) {
            Array array{array_type(operand.type), shape_of(operand, images()), {}};
            array.data.resize(4 * static_cast<std::size_t>(operand.elements(static_cast<int>(images()))));
            arrays_.emplace(operand.name, std::move(array));
        }
    return "";
}

std::string Arrays::save(const Operands& list, const Files& files) const {
    for (const Operand& operand : list)
        if (operand.direction == Direction::out)
            if (std::string error =
                    write_npy(files.find(operand.name)->second, arrays_.find(operand.name)->second);
                !error.empty())
                return error;
    return "";
}

lamina_view Arrays::view(std::string_view name) {
    Array& array = arrays_.find(name)->second;
    return lamina_dense_view(array.data.data(), array.type == Array::Type::i32 ? LAMINA_I32 : LAMINA_F32,
                             static_cast<std::int32_t>(array.shape.size()), array.shape.data());
}

// Packs the kernel if there is one, and calls; returns what went wrong, or "".
std::string call(const LoadedKernel& loaded, Arrays& arrays, int threads) {
    lamina_context context{};
    context.threads = threads;
    std::vector<float> packed(static_cast<std::size_t>(loaded.compiled().packed_kernel_size));
    const std::int64_t packed_shape[] = {loaded.compiled().packed_kernel_size};
    const lamina_view packed_view = lamina_dense_view(packed.data(), LAMINA_F32, 1, packed_shape);
    if (loaded.pack()) {
        const lamina_view views[] = {arrays.view("kernel"), packed_view};
        lamina_call(loaded.pack(), &context, views, 2);
    }
    std::vector<lamina_view> views;
    for (int i = 0; i < loaded.call().operand_count; ++i) {
        const std::string_view name = loaded.call().operands[i].name;
        views.push_back(name == "packed_kernel" ? packed_view : arrays.view(name));
    }
    if (context.code == LAMINA_OK)
        lamina_call(&loaded.call(), &context, views.data(), loaded.call().operand_count);
    std::string error = context.message;
    lamina_context_release(&context);
    return error;
}

int run_problem(const RunOptions& options) {
    const TargetFacts* target = target_or_fail(options.kernel.target);
    if (!target)
        return exit_usage;
    const ParsedRequest parsed =
        parse_request(options.problem, options.kernel.schedules.empty() ? "" : options.kernel.schedules[0]);
    if (!parsed.request)
        return fail(exit_usage, parsed.error);
    const Operands list = operands(parsed.request->problem);
    Files files;
    if (const std::string error = sort_files(options.files, list, files); !error.empty())
        return fail(exit_usage, error);
    if (const std::string error = check_outputs(list, files); !error.empty())
        return fail(exit_usage, error);
    if (const Choice choice = choice_for(*parsed.request, *target, options.kernel.records);
        !choice.error.empty())
        return fail(exit_usage, choice.error);
    if (!can_run_here(*target))
        return fail(exit_failed, fmt::format("target: this CPU cannot run {}", target->name));
    warn_of_broken_records(options.kernel.records, *target);
    Arrays arrays;
    std::string error = arrays.load(list, files);
    if (!error.empty())
        return fail(exit_failed, error);
    const LoadedKernel loaded = load_kernel(*parsed.request, *target, options.kernel.records);
    error = loaded.error();
    if (error.empty())
        error = call(loaded, arrays, options.threads);
    if (error.empty())
        error = arrays.save(list, files);
    return error.empty() ? exit_ok : fail(exit_failed, error);
}

} // namespace

Subcommand add_run(CLI::App& root) {
    auto options = std::make_shared<RunOptions>();
    CLI::App* app = root.add_subcommand("run", "Compute one problem on npy files");
    app->add_option("PROBLEM", options->problem, "The problem, one argument")->required();
    app->add_option("OPERAND=FILE", options->files,
                    "Every operand's npy file, inputs read and outputs written: input, kernel (HWIO), bias, "
                    "residual, indices, output and so on")
        ->required();
    options->kernel.add_to(*app, false);
    app->add_option("--threads", options->threads, "Threads of the call")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    app->footer(
        "Example: lamina run \"cross_correlation in=1x64x64x3 out_channels=8 kernel_size=3\" "
        "input=x.npy kernel=w.npy "
        "bias=b.npy output=y.npy\nFiles hold float32 in C order (int32 for indices and labels). An output's "
        "file is written whole "
        "or not at all.");
    return {app, [options] { return run_problem(*options); }};
}

} // namespace lamina::tools
