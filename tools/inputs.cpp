#include "tools/inputs.hpp"

#include "tools/describe_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace lamina::tools {

namespace {

// The text of a file that lists kernels; nothing where it cannot be read.
std::optional<std::string> read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file || std::filesystem::is_directory(path))
        return {};
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

// The problems of that gradient, those that have it.
std::vector<SuiteProblem> gradients_of(const std::vector<SuiteProblem>& problems, const std::string& gradient,
                                       std::string& error) {
    std::vector<SuiteProblem> found;
    for (const SuiteProblem& given : problems) {
        ParsedProblem parsed = parse_problem(given.problem);
        if (!parsed.ok()) {
            error = parsed.error.view();
            return {};
        }
        Problem& problem = parsed.problem;
        const std::optional<Operator> op =
            operator_named(fmt::format("{}_{}", facts(problem.op).name, gradient));
        if (!op)
            continue;
        problem.op = *op;
        problem.indices = problem.preactivation = false;
        if (broken_rule(problem) == Rule::none)
            found.push_back({std::string(to_text(problem).view()), given.count});
    }
    if (found.empty())
        error = fmt::format("suite: none of its problems has a gradient {}; there are input_gradient, "
                            "kernel_gradient, bias_gradient and residual_gradient",
                            in_quotes(gradient).view());
    return found;
}

} // namespace

bool is_problem(const std::string& text) {
    return text.find('=') != std::string::npos;
}

InputKernels kernels_of(const std::string& input, const InputOptions& options, std::size_t number) {
    if (is_problem(input)) {
        const std::string name = number == 0 ? "run" : fmt::format("run{}", number + 1);
        const ParsedRequest parsed = parse_request(input, options.schedule, name);
        return parsed.request ? InputKernels{{*parsed.request}, ""} : InputKernels{{}, parsed.error};
    }
    const std::filesystem::path path(input);
    const std::string extension = path.extension().string();
    if (extension == ".hpp" || extension == ".h" || extension == ".hh") {
        const Description description = describe_network(
            input, options.network.empty() ? path.stem().string() + "_network" : options.network);
        if (!description.error.empty())
            return {{}, description.error, description.code};
        ParsedNetwork parsed = parse_network(description.lines);
        InputKernels input{{}, std::move(parsed.error)};
        for (const NetworkLayer& layer : parsed.layers)
            input.kernels.push_back({layer.name, layer.problem, ""});
        input.network = std::move(parsed.layers);
        return input;
    }
    const std::optional<std::string> text = read_text(input);
    if (!text)
        return {{}, fmt::format("{}: neither a problem nor a readable file", in_quotes(input).view())};
    ParsedKernels parsed = parse_kernels(*text);
    if (!parsed.error.empty())
        parsed.error = fmt::format("{}: {}", input, parsed.error);
    return {std::move(parsed.kernels), std::move(parsed.error)};
}

std::vector<SuiteProblem> read_suite(const std::string& text, std::string& error) {
    const std::size_t colon = text.find(':');
    const std::string name = text.substr(0, colon);
    const std::string path = data_folder("suites") + "/" + name + ".txt";
    std::ifstream file(path);
    std::vector<SuiteProblem> problems;
    for (std::string line; std::getline(file, line);) {
        line.resize(std::min(line.find('#'), line.size()));
        if (line.find_first_not_of(" \t\r") == std::string::npos)
            continue;
        SuiteProblem problem{line, 1};
        if (const std::size_t star = line.find('*'); star != std::string::npos) {
            const char* const end = line.data() + star;
            problem.problem = line.substr(star + 1);
            if (std::from_chars(line.data(), end, problem.count).ec != std::errc() || problem.count < 1)
                error = fmt::format("{}: {}: a count is expected before the *", path, in_quotes(line).view());
        }
        problems.push_back(std::move(problem));
    }
    if (problems.empty())
        error = fmt::format("suite {}: {} holds no problems", in_quotes(name).view(), path);
    else if (colon != std::string::npos && error.empty())
        problems = gradients_of(problems, text.substr(colon + 1), error);
    return problems;
}

InputKernels all_kernels_of(std::vector<std::string> inputs, const std::string& suite,
                            const std::string& network) {
    InputKernels all;
    if (!suite.empty())
        for (SuiteProblem& problem : read_suite(suite, all.error))
            inputs.push_back(std::move(problem.problem));
    for (std::size_t i = 0; i < inputs.size() && all.error.empty(); ++i) {
        InputKernels some = kernels_of(inputs[i], {network, ""}, i);
        all.error = some.error;
        all.code = some.code;
        for (KernelRequest& kernel : some.kernels)
            if (std::ranges::find(all.kernels, kernel.problem, &KernelRequest::problem) == all.kernels.end())
                all.kernels.push_back(std::move(kernel));
    }
    return all;
}

} // namespace lamina::tools
