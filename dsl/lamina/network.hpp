// Networks: layers that read one another's outputs, settled by the compiler. A mistake stops the compilation
// with the name of what is wrong.
#pragma once

#include "lamina/layers.hpp"
#include "lamina/name.hpp"
#include "lamina/receptive_field.hpp"

#include <span>

namespace lamina {

struct Input {
    int batch = 1; // open_batch leaves it to the call
    int height = 0, width = 0, channels = 0;
    Layout layout = Layout::nhwc; // of every map in the network

    constexpr Shape shape() const { return {batch, height, width, channels}; }
};

inline constexpr std::string_view input_name = "input";

// A layer in its place. A source is the index of the layer whose output is read, or one of these two.
struct Node {
    static constexpr int network_input = -1;
    static constexpr int nothing = -2;

    Name name;
    Problem problem;
    int from = network_input;
    int residual = nothing; // added between bias and activation
    int indices = nothing;  // the max_pool whose indices a max_unpool reads
    ReceptiveField receptive_field;

    constexpr Shape output() const { return output_shape(problem); }
    constexpr std::int64_t operation_count() const { return lamina::operation_count(problem); }
    constexpr std::int64_t parameter_count() const { return lamina::parameter_count(problem); }
};

namespace layer_error {
void network_has_no_layers();
void name_is_used_twice();
void from_names_no_earlier_layer();
void residual_names_no_earlier_layer();
void residual_has_another_shape_than_the_output();
void indices_from_names_no_earlier_max_pool_with_indices();
void indices_have_another_shape_than_the_input();
void unpooled_size_differs_from_the_max_pools_input();
void output_is_read_by_no_later_layer();
void network_has_no_layer_of_that_name();
} // namespace layer_error

// A constexpr value without pointers. `layers` stand in the order in which they are computed: every source
// comes before its readers, and the last layer's output is the network's.
template <std::size_t N>
struct Network {
    Name own_name;
    Input input;
    std::array<Node, N> layers{};

    constexpr std::string_view name() const { return own_name; }
    static constexpr std::size_t size() { return N; }
    constexpr const Node* begin() const { return layers.data(); }
    constexpr const Node* end() const { return layers.data() + N; }

    constexpr const Node& layer(std::size_t index) const { return layers[index]; }
    // The layer of that name; where there is none, compilation stops.
    consteval Node layer(std::string_view layer_name) const {
        const Node* found = position_of(layer_name);
        if (found == end())
            layer_error::network_has_no_layer_of_that_name();
        return *found;
    }
    // The layer of that name, or null.
    constexpr const Node* find(std::string_view layer_name) const {
        const Node* found = position_of(layer_name);
        return found == end() ? nullptr : found;
    }
    // The layer of that name, or end().
    constexpr const Node* position_of(std::string_view layer_name) const {
        return std::find_if(begin(), end(), [&](const Node& node) { return node.name == layer_name; });
    }

    constexpr Shape output() const { return layers[N - 1].output(); }
    constexpr ReceptiveField receptive_field() const { return layers[N - 1].receptive_field; }
    // Of one call, as the layers' operation_count.
    constexpr std::int64_t operation_count() const {
        std::int64_t count = 0;
        for (const Node& node : layers)
            count = detail::saturating_sum(count, node.operation_count());
        return count;
    }
    constexpr std::int64_t parameter_count() const {
        std::int64_t count = 0;
        for (const Node& node : layers)
            count = detail::saturating_sum(count, node.parameter_count());
        return count;
    }
};

namespace detail {

// The part of a network that its next layer can read.
struct Earlier {
    const Input& input;
    std::span<const Node> layers;

    // Its index, or Node::network_input, or Node::nothing where no layer has that name.
    constexpr int index_of(std::string_view name) const {
        if (name == input_name)
            return Node::network_input;
        for (std::size_t i = 0; i < layers.size(); ++i)
            if (layers[i].name == name)
                return static_cast<int>(i);
        return Node::nothing;
    }
    constexpr const Node& at(int index) const { return layers[static_cast<std::size_t>(index)]; }
    constexpr Shape output(int index) const { return index < 0 ? input.shape() : at(index).output(); }
    constexpr ReceptiveField field(int index) const {
        return index < 0 ? ReceptiveField{} : at(index).receptive_field;
    }
    constexpr int count_of(Operator op) const {
        int count = 0;
        for (const Node& node : layers)
            count += node.problem.op == op;
        return count;
    }
};

consteval Name layer_name(std::string_view given, Operator op, const Earlier& earlier) {
    const Name name = checked_name(
        given.empty() ? (Text(facts(op).name) << "_" << earlier.count_of(op) + 1).view() : given);
    if (earlier.index_of(name) != Node::nothing)
        layer_error::name_is_used_twice();
    return name;
}

consteval int source(std::string_view from, const Earlier& earlier) {
    if (from.empty())
        return static_cast<int>(earlier.layers.size()) - 1;
    const int index = earlier.index_of(from);
    if (index == Node::nothing)
        layer_error::from_names_no_earlier_layer();
    return index;
}

// Its field reaches the output directly.
consteval void join_residual(Node& node, std::string_view name, const Earlier& earlier) {
    node.residual = earlier.index_of(name);
    if (node.residual == Node::nothing)
        layer_error::residual_names_no_earlier_layer();
    if (earlier.output(node.residual) != node.output())
        layer_error::residual_has_another_shape_than_the_output();
    node.receptive_field = joined_field(node.receptive_field, earlier.field(node.residual), node.output());
}

// Where a value goes depends on all that the max_pool saw.
consteval void connect_indices(Node& node, std::string_view name, const Earlier& earlier) {
    node.indices = earlier.index_of(name);
    if (node.indices < 0 || !earlier.at(node.indices).problem.indices)
        layer_error::indices_from_names_no_earlier_max_pool_with_indices();
    const Node& pool = earlier.at(node.indices);
    if (pool.output() != node.problem.in)
        layer_error::indices_have_another_shape_than_the_input();
    if (pool.problem.in != node.output())
        layer_error::unpooled_size_differs_from_the_max_pools_input();
    const ReceptiveField read = joined_field(earlier.field(node.from), pool.receptive_field, node.problem.in);
    node.receptive_field = layer_field(read, node.problem, earlier.input.shape());
}

template <Layer T>
consteval Node placed(const T& layer, const Earlier& earlier) {
    Node node;
    node.name = layer_name(layer.name, T::op, earlier);
    node.from = source(layer.from, earlier);
    node.problem = existing(to_problem(layer, earlier.output(node.from), earlier.input.layout));
    node.receptive_field = layer_field(earlier.field(node.from), node.problem, earlier.input.shape());
    if constexpr (requires { layer.indices_from; })
        connect_indices(node, layer.indices_from, earlier);
    if constexpr (requires { layer.residual; })
        if (!layer.residual.empty())
            join_residual(node, layer.residual, earlier);
    return node;
}

// Computing what nobody reads is a mistake: a forgotten `residual`, or a `from` too many.
consteval void require_readers(std::span<const Node> layers) {
    for (std::size_t i = 0; i + 1 < layers.size(); ++i) {
        const int index = static_cast<int>(i);
        const auto later = layers.subspan(i + 1);
        const auto reads = [index](const Node& reader) {
            return reader.from == index || reader.residual == index || reader.indices == index;
        };
        if (std::none_of(later.begin(), later.end(), reads))
            layer_error::output_is_read_by_no_later_layer();
    }
}

} // namespace detail

// The network of those layers, in the order in which they are computed.
template <Layer... Layers>
consteval auto network(std::string_view name, const Input& input, const Layers&... layers) {
    if (sizeof...(Layers) == 0)
        layer_error::network_has_no_layers();
    Network<sizeof...(Layers)> net;
    net.own_name = detail::checked_name(name);
    net.input = input;
    std::size_t count = 0;
    ((net.layers[count] = detail::placed(layers, {input, std::span(net.layers).first(count)}), ++count), ...);
    detail::require_readers(net.layers);
    return net;
}

} // namespace lamina
