// oneDNN's side: its implementations of a problem, ready to run.
#pragma once

#include "benchmarks/versus_onednn/shared_data.hpp"

#include <functional>

namespace lamina::versus {

struct PeerKernel {
    std::string name;          // its implementation, what it was asked for and the layout of its maps
    bool is_preferred = false; // in layouts that oneDNN chose
    bool is_plain = false;     // with maps in the problem's layout
    std::function<void()> run;
    // Runs once and returns the result in Lamina's layout.
    std::function<std::vector<float>()> result;
};

struct Peer {
    std::vector<PeerKernel> kernels; // each implementation in each layout once
    std::string reason;              // why there are none, or empty
};

// Primitives for calls with so many threads. The data outlive them. What is reordered, is reordered here.
Peer make_peer(const Problem& problem, const SharedData& data, int threads, bool with_winograd);

// Keeps the library to vectors as long as the target's, for all primitives that are made afterwards; before
// the first one. Returns why not, or "".
std::string limit_peer(const TargetFacts& target);

// The library's version, e.g. 3.2.0.
std::string peer_version();

} // namespace lamina::versus
