#include "generators/library.hpp"

#include "generators/header.hpp"
#include "generators/network_driver.hpp"
#include "generators/temporary_folder.hpp"
#include "generators/whole_file.hpp"
#include "lamina/name.hpp"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

namespace lamina {

namespace {

struct FinishedFile {
    std::string path, bytes;
};

std::string publish(const std::vector<FinishedFile>& files) {
    std::vector<NamedBytes> named;
    named.reserve(files.size());
    for (const FinishedFile& file : files)
        named.push_back({file.path, std::as_bytes(std::span(file.bytes))});
    return write_whole_files(named);
}

std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string trimmed(const std::string& text) {
    const std::size_t begin = text.find_first_not_of(" \t\r"), end = text.find_last_not_of(" \t\r");
    return begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
}

// Whether a kernel's functions or its table of variants have that name.
bool is_taken(const std::string& name, const std::string& kernel) {
    return name == kernel || name == kernel + "_pack" || name == kernel + "_variant" ||
           name == kernel + "_variants";
}

std::string check_names(const LibraryRequest& request) {
    if (!detail::is_c_identifier(request.name))
        return fmt::format("library name {}: must be a C identifier", in_quotes(request.name).view());
    for (std::size_t i = 0; i < request.kernels.size(); ++i) {
        const std::string& name = request.kernels[i].name;
        if (!detail::is_c_identifier(name))
            return fmt::format("kernel name {}: must be a C identifier", in_quotes(name).view());
        for (std::size_t j = 0; j < i; ++j)
            if (is_taken(name, request.kernels[j].name) || is_taken(request.kernels[j].name, name))
                return fmt::format("kernel name {}: taken by kernel {}", in_quotes(name).view(), j + 1);
    }
    return request.kernels.empty() ? "no kernels given" : "";
}

// An earlier kernel that computes the same in the same way, or null.
const CompiledKernel* twin(const std::vector<CompiledKernel>& compiled, const KernelRequest& request) {
    for (const CompiledKernel& kernel : compiled)
        if (kernel.request.problem == request.problem && kernel.request.schedule == request.schedule &&
            kernel.request.is_packed_in_calls == request.is_packed_in_calls &&
            kernel.request.variant.empty() && request.variant.empty())
            return &kernel;
    return nullptr;
}

// Compiles the kernels into `folder`, each problem once; returns the paths of their objects.
std::vector<std::string> compile_kernels(const LibraryRequest& request, const std::string& folder,
                                         Library& library) {
    std::vector<std::string> objects;
    for (const KernelRequest& kernel : request.kernels) {
        if (request.on_kernel)
            request.on_kernel(kernel.name);
        KernelRequest named = kernel;
        named.name = request.name + "_" + kernel.name;
        if (const CompiledKernel* known = twin(library.kernels, named)) {
            CompiledKernel shared = *known;
            shared.request = named;
            library.kernels.push_back(std::move(shared));
            continue;
        }
        library.kernels.push_back(
            compile_kernel(named, {request.targets, request.records, folder, request.instrument_addresses}));
        const CompiledKernel& compiled = library.kernels.back();
        library.error = compiled.error;
        if (!library.error.empty())
            return {};
        for (const CompiledFunction* function : {&compiled.call, &compiled.pack})
            objects.insert(objects.end(), function->objects.begin(), function->objects.end());
    }
    return objects;
}

} // namespace

namespace {

// With the kernels that its network asks for, planned; the plan has no layers where there is no network.
struct WholeRequest {
    LibraryRequest request;
    NetworkPlan plan;
    std::string error;
};

WholeRequest with_network(const LibraryRequest& given) {
    WholeRequest whole{given, {}, ""};
    if (given.network.layers.empty())
        return whole;
    for (const NetworkLayer& layer : given.network.layers)
        if (is_driver_name(layer.name))
            whole.error =
                fmt::format("layer {}: the network's header has a function or constant of that name",
                            in_quotes(layer.name).view());
    if (!whole.error.empty())
        return whole;
    whole.plan = plan_network(given.network);
    whole.error = whole.plan.error;
    for (const KernelRequest& kernel : whole.plan.kernels) {
        const auto known = std::ranges::find(whole.request.kernels, kernel.name, &KernelRequest::name);
        if (known == whole.request.kernels.end())
            whole.request.kernels.push_back(kernel);
        else
            known->is_packed_in_calls |= kernel.is_packed_in_calls;
    }
    return whole;
}

// The functions of the whole network, as the header's further code.
FurtherCode driver_of(const std::string& library, NetworkPlan& plan,
                      const std::vector<CompiledKernel>& kernels) {
    if (plan.request.layers.empty())
        return {};
    PackedSizes sizes;
    for (const CompiledKernel& kernel : kernels)
        sizes[kernel.request.name.substr(library.size() + 1)] = kernel.packed_kernel_size;
    place_buffers(plan, sizes);
    return {"#include <lamina/training.hpp>\n#include <lamina/weights.hpp>\n\n#include <algorithm>\n"
            "#include <array>\n#include <span>\n",
            driver_text(library, plan)};
}

std::string why_invalid_whole(const LibraryRequest& request) {
    std::string error = check_names(request);
    for (const KernelRequest& kernel : request.kernels)
        for (const TargetFacts* target : request.targets)
            if (error.empty())
                if (const Choice choice = choice_for(kernel, *target, request.records); !choice.error.empty())
                    error = fmt::format("{}: {} on {}: {}", kernel.name, to_text(kernel.problem).view(),
                                        target->name, choice.error);
    return error;
}

} // namespace

std::string why_invalid(const LibraryRequest& request) {
    const WholeRequest whole = with_network(request);
    return whole.error.empty() ? why_invalid_whole(whole.request) : whole.error;
}

std::size_t kernel_count(const LibraryRequest& request) {
    return with_network(request).request.kernels.size();
}

Library compile_library(const LibraryRequest& given) {
    Library library;
    const TemporaryFolder folder;
    auto [request, plan, reason] = with_network(given);
    library.error = reason.empty() ? folder.error() : reason;
    if (library.error.empty())
        library.error = why_invalid_whole(request);
    if (!library.error.empty())
        return library;
    const std::vector<std::string> objects = compile_kernels(request, folder.path(), library);
    if (!library.error.empty())
        return library;
    const std::string archive = folder.path() + "/library.a", runtime = folder.path() + "/runtime.o",
                      place = request.folder + "/" + request.name;
    library.error = make_archive(objects, *request.targets.back(), archive);
    if (library.error.empty() && request.with_runtime)
        library.error = compile_halide_runtime(request.targets, runtime);
    if (!library.error.empty())
        return library;
    std::vector<FinishedFile> finished = {
        {place + ".a", bytes_of(archive)},
        {place + ".h", header_text(request.name, library.kernels, request.targets,
                                   driver_of(request.name, plan, library.kernels))}};
    if (request.with_runtime)
        finished.push_back({request.folder + "/halide_runtime.o", bytes_of(runtime)});
    library.error = publish(finished);
    if (library.error.empty())
        for (const FinishedFile& file : finished)
            library.files.push_back(file.path);
    return library;
}

ParsedKernels parse_kernels(const std::string& text) {
    ParsedKernels parsed;
    std::istringstream lines(text);
    int number = 0;
    for (std::string line; std::getline(lines, line);) {
        ++number;
        line = trimmed(line.substr(0, line.find('#')));
        if (line.empty())
            continue;
        const std::size_t colon = line.find(':');
        if (colon == std::string::npos)
            return {{},
                    fmt::format("line {}: {} is not of the form NAME: PROBLEM [; SCHEDULE]", number,
                                in_quotes(line).view())};
        const std::size_t semicolon = line.find(';', colon);
        const ParsedProblem problem =
            parse_problem(std::string_view(line).substr(colon + 1, semicolon - colon - 1));
        if (!problem.ok())
            return {{}, fmt::format("line {}: {}", number, problem.error.view())};
        parsed.kernels.push_back({trimmed(line.substr(0, colon)), problem.problem,
                                  semicolon == std::string::npos ? "" : trimmed(line.substr(semicolon + 1))});
    }
    return parsed;
}

Variant parse_variant(const std::string& text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos)
        return {};
    return {trimmed(text.substr(0, colon)), trimmed(text.substr(colon + 1))};
}

std::vector<KernelRequest> with_variants(const std::vector<KernelRequest>& kernels,
                                         const std::vector<Variant>& variants) {
    std::vector<KernelRequest> all;
    for (const KernelRequest& kernel : kernels) {
        all.push_back(kernel);
        for (const Variant& variant : variants)
            all.push_back({kernel.name + "_" + variant.name, kernel.problem, variant.schedule, variant.name});
    }
    return all;
}

} // namespace lamina
