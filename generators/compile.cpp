#include "generators/compile.hpp"

#include "generators/input_prefetch.hpp"
#include "generators/kernel_prefetch.hpp"
#include "generators/lowered_bodies.hpp"
#include "generators/operand_bounds.hpp"
#include "generators/problem_generator.hpp"
#include "generators/result_prefetch.hpp"
#include "generators/scratch.hpp"
#include "generators/strip_prefetch.hpp"
#include "generators/whole_file.hpp"
#include "schedules/guarded.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace lamina {

namespace {

using Halide::Internal::AbstractGeneratorPtr;

// Which function of a kernel to make.
enum class Part { call, pack };

// With the schedule that was chosen, so that what is reported is what is compiled.
AbstractGeneratorPtr make_generator(const Problem& p, const Choice& choice, const Halide::Target& target,
                                    Part part) {
    AbstractGeneratorPtr generator = Halide::Internal::GeneratorRegistry::create(
        std::string(facts(p.op).name), Halide::GeneratorContext(target));
    for (const Key& key : key_table)
        if (key.applies_to(p.op)) {
            Text value;
            key.print(p, value);
            generator->set_generatorparam_value(std::string(key.name), std::string(value.view()));
        }
    generator->set_generatorparam_value("schedule", to_text(choice.family->name, choice.knobs));
    generator->set_generatorparam_value("kernel_form", "packed");
    generator->set_generatorparam_value("part", part == Part::pack ? "pack" : "call");
    return generator;
}

std::vector<Halide::Target> halide_targets(const CompileOptions& options) {
    std::vector<Halide::Target> targets;
    for (const TargetFacts* facts : options.targets) {
        Halide::Target target = kernel_target(*facts);
        if (options.instrument_addresses)
            target.set_feature(Halide::Target::ASAN);
        targets.push_back(target);
    }
    return targets;
}

// Object files of a multi-target compilation bear the targets' names; these are short and stable.
std::vector<std::string> suffixes(const CompileOptions& options) {
    std::vector<std::string> names;
    for (const TargetFacts* facts : options.targets) {
        std::string name(facts->name);
        std::replace(name.begin(), name.end(), '-', '_');
        names.push_back(name);
    }
    return names;
}

// Kernels that ship have no assertions, and only the schedules that are chosen unasked are tested to need
// none: others are lowered once more, with assertions, to see whether they keep within the operands.
std::string why_unsafe(const Problem& problem, const Choice& choice, const Halide::Target& target) {
    if (std::ranges::count(default_families(), choice.family) > 0)
        return "";
    const Halide::Target checking = target.without_feature(Halide::Target::NoAsserts);
    const Halide::Module module =
        make_generator(problem, choice, checking, Part::call)->build_module("checked");
    return why_out_of_bounds(module, "checked");
}

// `kernel` holds a choice per target.
std::string compile_part(const CompiledKernel& kernel, const CompileOptions& options, Part part,
                         CompiledFunction& function) {
    std::string error;
    const std::vector<Halide::Target> targets = halide_targets(options);
    const auto build = [&](const std::string& name, const Halide::Target& target) {
        const auto number = std::find(targets.begin(), targets.end(), target) - targets.begin();
        const Choice& choice = kernel.choices.at(static_cast<std::size_t>(number));
        Halide::Module module =
            make_generator(kernel.request.problem, choice, target, part)->build_module(name);
        module = with_unaligned_outputs(module);
        if (part == Part::call) {
            const Problem& problem = kernel.request.problem;
            const AlgorithmRequest request =
                choice.family->request({problem, &facts_for(target)}, choice.knobs);
            module = with_kernel_prefetch(module, problem, request);
            module = with_input_prefetch(module, problem, request);
            module = with_strip_prefetch(module, problem, request);
            module = with_result_prefetch(module, problem, request);
        }
        ScratchUse use = scratch_use(module, name);
        std::move(use.allocations.begin(), use.allocations.end(), std::back_inserter(function.allocations));
        function.scratch_serial = std::max(function.scratch_serial, use.serial);
        function.scratch_per_thread = std::max(function.scratch_per_thread, use.per_thread);
        if (error.empty())
            error = use.error;
        if (error.empty() && part == Part::call)
            error = why_unsafe(kernel.request.problem, choice, target);
        return module;
    };
    const std::string path = fmt::format("{}/{}.o", options.folder, function.name);
    if (targets.size() == 1) {
        build(function.name, targets[0]).compile({{Halide::OutputFileType::object, path}});
        function.objects = {path};
        return error;
    }
    Halide::compile_multitarget(function.name, {{Halide::OutputFileType::object, path}}, targets,
                                suffixes(options), build);
    // Halide names one object per target, and one for the function that chooses among them.
    for (const std::string& suffix : suffixes(options))
        function.objects.push_back(fmt::format("{}/{}-{}.o", options.folder, function.name, suffix));
    function.objects.push_back(fmt::format("{}/{}_wrapper.o", options.folder, function.name));
    return error;
}

// Of all targets' schedules; 0 where the operator has no kernel.
std::int64_t largest_packed_kernel(const CompiledKernel& kernel, const CompileOptions& options) {
    const Problem& problem = kernel.request.problem;
    std::int64_t largest = 0;
    for (std::size_t i = 0; i < kernel.choices.size() && reads_kernel(problem.op); ++i) {
        const Choice& choice = kernel.choices[i];
        const AlgorithmRequest request = choice.family->request({problem, options.targets[i]}, choice.knobs);
        largest = std::max(largest, packed_kernel_size(problem, request));
    }
    return largest;
}

// Halide does not say so where it could not write the whole of a page.
std::string why_no_page(const std::string& path) {
    std::ifstream file(path);
    std::string line, last;
    while (std::getline(file, line))
        if (!line.empty())
            last = line;
    return last.ends_with("</html>") ? "" : fmt::format("{}: could not be written to its end", path);
}

} // namespace

Choice choice_for(const KernelRequest& request, const TargetFacts& target, const std::string& records) {
    return choose_schedule({request.problem, &target, request.is_packed_in_calls}, request.schedule, records);
}

CompiledKernel compile_kernel(const KernelRequest& request, const CompileOptions& options) {
    CompiledKernel kernel;
    kernel.request = request;
    for (const TargetFacts* target : options.targets) {
        kernel.choices.push_back(choice_for(request, *target, options.records));
        const Choice& choice = kernel.choices.back();
        if (!choice.error.empty()) {
            kernel.error =
                fmt::format("{} on {}: {}", to_text(request.problem).view(), target->name, choice.error);
            return kernel;
        }
    }
    kernel.error = guarded([&] {
        kernel.packed_kernel_size = largest_packed_kernel(kernel, options);
        kernel.call.name = request.name;
        std::string error = compile_part(kernel, options, Part::call, kernel.call);
        if (kernel.packed_kernel_size > 0 && error.empty()) {
            kernel.pack.name = request.name + "_pack";
            error = compile_part(kernel, options, Part::pack, kernel.pack);
        }
        return error;
    });
    if (!kernel.error.empty())
        kernel.error = fmt::format("{}: {}", to_text(request.problem).view(), kernel.error);
    return kernel;
}

std::string write_loop_nest(const KernelRequest& request, const Choice& choice, const TargetFacts& target,
                            const std::string& path) {
    return guarded([&] {
        const Halide::Module module =
            make_generator(request.problem, choice, kernel_target(target), Part::call)
                ->build_module(request.name);
        if (path.ends_with(".html")) {
            module.compile({{Halide::OutputFileType::stmt_html, path}});
            return why_no_page(path);
        }
        std::ostringstream text;
        text << module;
        const std::string nest = text.str();
        return write_whole_file(path, std::as_bytes(std::span(nest)));
    });
}

std::string make_archive(const std::vector<std::string>& objects, const TargetFacts& target,
                         const std::string& archive) {
    return guarded([&] {
        Halide::create_static_library(objects, Halide::Target(std::string(target.halide)), archive);
        return std::string();
    });
}

std::string compile_halide_runtime(const std::vector<const TargetFacts*>& targets,
                                   const std::string& object) {
    return guarded([&] {
        Halide::Target target(std::string(targets.back()->halide));
        for (const TargetFacts* facts : targets)
            if (facts->is_gpu)
                target.set_feature(Halide::Target::OpenCL);
        Halide::compile_standalone_runtime(object, target);
        return std::string();
    });
}

OrderedTargets order_targets(const std::vector<std::string>& names) {
    OrderedTargets ordered;
    for (const std::string& name : names) {
        const TargetFacts* target = find_target(name);
        if (!target) {
            std::string known;
            for (const TargetFacts& row : target_table())
                known += fmt::format("{}{}", known.empty() ? "" : ", ", row.name);
            return {{}, fmt::format("target: unknown {}; known are {}", in_quotes(name).view(), known)};
        }
        if (std::find(ordered.targets.begin(), ordered.targets.end(), target) == ordered.targets.end())
            ordered.targets.push_back(target);
    }
    std::sort(ordered.targets.begin(), ordered.targets.end(),
              std::greater<>()); // rows ascend in what they demand
    if (ordered.targets.empty())
        return {{}, "target: none given"};
    const Halide::Target base(std::string(ordered.targets.back()->halide));
    for (const TargetFacts* target : ordered.targets) {
        const Halide::Target other(std::string(target->halide));
        if (other.arch != base.arch || other.os != base.os ||
            target->is_gpu != ordered.targets.back()->is_gpu)
            return {{},
                    fmt::format("target: {} and {} do not fit into one library; give them one each",
                                target->name, ordered.targets.back()->name)};
    }
    return ordered;
}

} // namespace lamina
