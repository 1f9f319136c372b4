// Networks as text at run time: lines for the build's tools, a table for people.
#pragma once

#include "lamina/network.hpp"
#include "lamina/problem_text.hpp"

#include <string>
#include <vector>

namespace lamina {

namespace detail {

// What a node reads: an earlier layer's name, or "input".
inline std::string_view source_name(std::span<const Node> layers, int source) {
    return source < 0 ? input_name : layers[static_cast<std::size_t>(source)].name.view();
}

using Row = std::vector<std::string>;

inline std::string text_of(Shape shape) {
    Text text;
    text << (shape.batch == open_batch ? Text("?") : Text() << shape.batch);
    text << "x" << shape.height << "x" << shape.width << "x" << shape.channels;
    return std::string(text);
}

inline std::string text_of(const ReceptiveField& field) {
    Text text;
    text << field.height.size;
    if (field.width.size != field.height.size)
        text << "x" << field.width.size;
    return std::string(text);
}

// The names of the layers that a node reads, the first one left out where it is simply the one before.
inline std::string sources(std::span<const Node> layers, std::size_t index) {
    const Node& node = layers[index];
    const auto name = [&](int source) { return std::string(source_name(layers, source)); };
    std::string text = node.from + 1 == static_cast<int>(index) ? "" : name(node.from);
    if (node.residual != Node::nothing)
        text += (text.empty() ? "+ " : " + ") + name(node.residual);
    if (node.indices != Node::nothing)
        text += (text.empty() ? "@ " : " @ ") + name(node.indices);
    return text;
}

inline Row row(std::span<const Node> layers, std::size_t index) {
    const Node& node = layers[index];
    return {std::string(node.name),
            sources(layers, index),
            text_of(node.output()),
            text_of(node.receptive_field),
            std::to_string(node.operation_count()),
            std::to_string(node.parameter_count()),
            std::string(to_text(node.problem))};
}

inline std::string aligned(const std::vector<Row>& rows) {
    std::vector<std::size_t> widths(rows.front().size());
    for (const Row& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], row[i].size());
    std::string text;
    for (const Row& row : rows) {
        for (std::size_t i = 0; i + 1 < row.size(); ++i)
            text.append(row[i]).append(widths[i] - row[i].size() + 2, ' ');
        text.append(row.back());
        text.erase(text.find_last_not_of(' ') + 1);
        text.append("\n");
    }
    return text;
}

} // namespace detail

// One line per layer, `NAME <- SOURCE: PROBLEM`, after the source `+ LAYER` where that is added as a residual
// and `@ LAYER` where that max_pool's indices are read. parse_problem reads what follows the colon.
template <std::size_t N>
std::string describe(const Network<N>& net) {
    const std::span<const Node> layers(net.layers);
    std::string lines;
    for (const Node& node : net) {
        lines.append(node.name).append(" <- ").append(detail::source_name(layers, node.from));
        if (node.residual != Node::nothing)
            lines.append(" + ").append(detail::source_name(layers, node.residual));
        if (node.indices != Node::nothing)
            lines.append(" @ ").append(detail::source_name(layers, node.indices));
        lines.append(": ").append(to_text(node.problem).view()).append("\n");
    }
    return lines;
}

// The network for people, one row per layer: output shape, receptive field in input positions, operations of
// one call, trained values. `reads` says `+` before a residual and `@` before a max_pool's indices; it is
// blank for a layer that reads the one before.
template <std::size_t N>
std::string table(const Network<N>& net) {
    const std::span<const Node> layers(net.layers);
    std::vector<detail::Row> rows{
        {"layer", "reads", "output", "field", "operations", "parameters", "problem"}};
    rows.push_back({std::string(input_name), "", detail::text_of(net.input.shape()), "1", "", "", ""});
    for (std::size_t i = 0; i < N; ++i)
        rows.push_back(detail::row(layers, i));
    rows.push_back({std::string(net.name()), "", detail::text_of(net.output()),
                    detail::text_of(net.receptive_field()), std::to_string(net.operation_count()),
                    std::to_string(net.parameter_count()), ""});
    return detail::aligned(rows);
}

} // namespace lamina
