#include "generators/network_text.hpp"

#include "lamina/problem_text.hpp"

#include <fmt/format.h>

#include <sstream>

namespace lamina {

namespace {

// The index of the layer of that name; nothing where there is none.
std::optional<int> index_of(const std::vector<NetworkLayer>& layers, std::string_view name) {
    if (name == input_name)
        return Node::network_input;
    for (std::size_t i = 0; i < layers.size(); ++i)
        if (layers[i].name == name)
            return static_cast<int>(i);
    return {};
}

// Reads what stands before the colon; returns what is wrong, or "".
std::string read_wiring(NetworkLayer& layer, std::string_view text,
                        const std::vector<NetworkLayer>& earlier) {
    layer.name = std::string(detail::take_word(text));
    for (std::string_view sign = detail::take_word(text); !sign.empty(); sign = detail::take_word(text)) {
        int* const source = sign == "<-"  ? &layer.from
                            : sign == "+" ? &layer.residual
                            : sign == "@" ? &layer.indices
                                          : nullptr;
        if (!source)
            return fmt::format("{}: expected <-, + or @", in_quotes(sign).view());
        const std::string_view name = detail::take_word(text);
        const std::optional<int> index = index_of(earlier, name);
        if (!index)
            return fmt::format("{}: no earlier layer has that name", in_quotes(name).view());
        *source = *index;
    }
    return layer.name.empty() ? "a layer's name is missing" : "";
}

} // namespace

ParsedNetwork parse_network(const std::string& text) {
    ParsedNetwork parsed;
    std::istringstream lines(text);
    int number = 0;
    for (std::string line; std::getline(lines, line);) {
        ++number;
        const std::size_t colon = line.find(':');
        NetworkLayer layer;
        parsed.error = colon == std::string::npos
                           ? "not of the form NAME <- SOURCE: PROBLEM"
                           : read_wiring(layer, std::string_view(line).substr(0, colon), parsed.layers);
        if (parsed.error.empty()) {
            const ParsedProblem problem = parse_problem(std::string_view(line).substr(colon + 1));
            layer.problem = problem.problem;
            parsed.error = problem.error.view();
        }
        if (!parsed.error.empty()) {
            parsed.error = fmt::format("line {}: {}", number, parsed.error);
            return parsed;
        }
        parsed.layers.push_back(std::move(layer));
    }
    if (parsed.layers.empty())
        parsed.error = "no layers given";
    return parsed;
}

} // namespace lamina
