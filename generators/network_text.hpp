// A network as dsl's describe() prints it: layers, and which of them reads which.
#pragma once

#include "lamina/network.hpp"

#include <string>
#include <vector>

namespace lamina {

// As dsl's Node, at run time. Sources come before their readers; the last layer's output is the network's.
struct NetworkLayer {
    std::string name;
    Problem problem;
    int from = Node::network_input;
    int residual = Node::nothing;
    int indices = Node::nothing;
};

struct ParsedNetwork {
    std::vector<NetworkLayer> layers;
    std::string error; // names the line
};

// From lines `NAME <- SOURCE [+ RESIDUAL] [@ POOL]: PROBLEM`.
ParsedNetwork parse_network(const std::string& text);

} // namespace lamina
