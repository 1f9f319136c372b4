// A primitive of oneDNN, ready to run on Lamina's operands.
#pragma once

#include "benchmarks/versus_onednn/peer_layer.hpp"
#include "benchmarks/versus_onednn/shared_data.hpp"

#include <unordered_map>

namespace lamina::versus {

// An argument of a primitive and Lamina's operand.
struct Binding {
    int argument;
    std::string_view operand;
    dnnl::memory::desc lies; // as Lamina's operand does
};

struct Bindings {
    std::vector<Binding> inputs;
    Binding result;
};

Bindings bindings_of(const Problem& p);

// A primitive with memory of its own for every argument.
class Execution {
public:
    Execution(const Problem& p, const PeerPrimitive& made, const SharedData& data, dnnl::engine engine)
        : Execution(p, made, data, std::move(engine), bindings_of(p), {}) {}
    // `source` is another primitive's result, which this one reads; it is not among the bindings.
    Execution(const Problem& p, const PeerPrimitive& made, const SharedData& data, dnnl::engine engine,
              Bindings bindings, const dnnl::memory& source);

    void run();
    // Runs once on fresh memory and returns the result in Lamina's layout.
    std::vector<float> result();
    const dnnl::memory& output() const { return arguments_.at(bindings_.result.argument); }

private:
    dnnl::engine engine_;
    dnnl::stream stream_;
    dnnl::primitive primitive_;
    Bindings bindings_;
    std::unordered_map<int, dnnl::memory> arguments_;
    std::vector<dnnl_exec_arg_t> listed_; // the same
    const float* residual_ = nullptr;

    dnnl::memory& made_for(const dnnl::primitive_desc& primitive, int argument);
    void copy(dnnl::memory from, dnnl::memory to);
    void fill(const dnnl::memory& own, const Binding& binding, const SharedData& data);
    void fill_workspace(const Problem& p, const PeerPrimitive& made, const SharedData& data);
};

} // namespace lamina::versus
