#include "benchmarks/versus_onednn/peer.hpp"

#include "benchmarks/versus_onednn/peer_layer.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <unordered_map>

namespace lamina::versus {

namespace {

using dnnl::memory;
using Arguments = std::unordered_map<int, memory>;

// An argument of a primitive and Lamina's operand.
struct Binding {
    int argument;
    std::string_view operand;
    memory::desc lies; // as Lamina's operand does
};

struct Bindings {
    std::vector<Binding> inputs;
    Binding result;
};

Bindings bindings_of(const Problem& p) {
    const PeerOperands operands = peer_operands(p);
    Bindings all;
    switch (facts(p.op).gradient) {
    case Gradient::input:
        all.inputs = {{DNNL_ARG_DIFF_DST, "output_gradient", operands.dst}};
        all.result = {DNNL_ARG_DIFF_SRC, "input_gradient", operands.src};
        if (!is_pooling(p))
            all.inputs.push_back({DNNL_ARG_WEIGHTS, "kernel", operands.weights});
        return all;
    case Gradient::kernel:
        all.inputs = {{DNNL_ARG_SRC, "input", operands.src},
                      {DNNL_ARG_DIFF_DST, "output_gradient", operands.dst}};
        all.result = {DNNL_ARG_DIFF_WEIGHTS, "kernel_gradient", operands.weights};
        return all;
    default:
        break;
    }
    all.inputs = {{DNNL_ARG_SRC, "input", operands.src}};
    if (!is_pooling(p))
        all.inputs.push_back({DNNL_ARG_WEIGHTS, "kernel", operands.weights});
    if (p.epilogue.has(Step::bias))
        all.inputs.push_back({DNNL_ARG_BIAS, "bias", operands.bias});
    all.result = {DNNL_ARG_DST, "output", operands.dst};
    return all;
}

// A primitive with memory of its own for every argument.
class Execution {
public:
    Execution(const Problem& p, const PeerPrimitive& made, const SharedData& data, dnnl::engine engine)
        : engine_(std::move(engine)), stream_(engine_), primitive_(made.asked), bindings_(bindings_of(p)) {
        for (const Binding& binding : bindings_.inputs)
            fill(made_for(made.asked, binding.argument), binding, data);
        made_for(made.asked, bindings_.result.argument);
        if (p.epilogue.has(Step::residual))
            residual_ = data.find("residual");
        if (is_max_pooling(p) && is_gradient(p.op))
            fill_workspace(p, made, data);
        else if (made.asked.query_md(dnnl::query::workspace_md))
            made_for(made.asked, DNNL_ARG_WORKSPACE);
        stream_.wait();
        for (const auto& [argument, own] : arguments_)
            listed_.push_back({argument, own.get()});
    }

    // Through the interface in C: that in C++ would make a list of the arguments for every call.
    void run() {
        dnnl::error::wrap_c_api(dnnl_primitive_execute(primitive_.get(), stream_.get(),
                                                       static_cast<int>(listed_.size()), listed_.data()),
                                "could not execute a primitive");
        stream_.wait();
    }

    std::vector<float> result() {
        memory& own = arguments_.at(bindings_.result.argument);
        const memory::desc& lies = bindings_.result.lies;
        // A sum is added to what lies in the result's memory.
        if (residual_)
            copy(memory(lies, engine_, const_cast<float*>(residual_)), own);
        run();
        std::vector<float> values(lies.get_size() / sizeof(float));
        copy(own, memory(lies, engine_, values.data()));
        return values;
    }

private:
    dnnl::engine engine_;
    dnnl::stream stream_;
    dnnl::primitive primitive_;
    Bindings bindings_;
    Arguments arguments_;
    std::vector<dnnl_exec_arg_t> listed_; // the same
    const float* residual_ = nullptr;

    memory& made_for(const dnnl::primitive_desc& primitive, int argument) {
        return arguments_[argument] = memory(primitive.query_md(dnnl::query::exec_arg_md, argument), engine_);
    }

    void copy(memory from, memory to) {
        dnnl::reorder(from, to).execute(stream_, from, to);
        stream_.wait();
    }

    void fill(const memory& own, const Binding& binding, const SharedData& data) {
        // oneDNN's memory objects are for reading and writing alike; a reorder reads its source.
        copy(memory(binding.lies, engine_, const_cast<float*>(data.find(binding.operand))), own);
    }

    // A maximum's gradient finds the maxima in what the forward call left.
    void fill_workspace(const Problem& p, const PeerPrimitive& made, const SharedData& data) {
        memory src(made.forward.query_md(dnnl::query::exec_arg_md, DNNL_ARG_SRC), engine_);
        fill(src, {DNNL_ARG_SRC, "input", peer_operands(p).src}, data);
        const memory dst(made.forward.query_md(dnnl::query::exec_arg_md, DNNL_ARG_DST), engine_);
        const memory workspace(made.forward.query_md(dnnl::query::workspace_md), engine_);
        dnnl::primitive(made.forward)
            .execute(stream_, {{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, dst}, {DNNL_ARG_WORKSPACE, workspace}});
        arguments_[DNNL_ARG_WORKSPACE] = workspace;
    }
};

// Whether both primitives have these arguments in the same layouts, in the same implementation.
bool are_same(const dnnl::primitive_desc& a, const dnnl::primitive_desc& b, const Bindings& bindings) {
    const auto is_same = [&](const Binding& binding) {
        return a.query_md(dnnl::query::exec_arg_md, binding.argument) ==
               b.query_md(dnnl::query::exec_arg_md, binding.argument);
    };
    return std::string_view(a.impl_info_str()) == b.impl_info_str() && is_same(bindings.result) &&
           std::ranges::all_of(bindings.inputs, is_same);
}

std::string name_of(const Problem& p, const Wish& wish, const dnnl::primitive_desc& primitive) {
    std::string name = primitive.impl_info_str();
    if (!is_gradient(p.op))
        name += wish.kind == dnnl::prop_kind::forward_training ? " training" : " inference";
    return name + (wish.maps == plain_layout(p)               ? " plain"
                   : wish.maps == memory::format_tag::nhwc    ? " nhwc"
                   : wish.maps == memory::format_tag::nChw8c  ? " nChw8c"
                   : wish.maps == memory::format_tag::nChw16c ? " nChw16c"
                                                              : " any");
}

std::vector<Wish> wishes_for(const Problem& p, bool with_winograd) {
    std::vector<memory::format_tag> layouts = preferred_layouts(p);
    if (std::ranges::find(layouts, plain_layout(p)) == layouts.end())
        layouts.push_back(plain_layout(p));
    std::vector<dnnl::prop_kind> kinds{dnnl::prop_kind::forward_inference};
    if (!is_gradient(p.op))
        kinds.push_back(dnnl::prop_kind::forward_training);
    std::vector<dnnl::algorithm> algorithms{dnnl::algorithm::convolution_direct};
    if (with_winograd)
        algorithms.push_back(dnnl::algorithm::convolution_winograd);
    std::vector<Wish> wishes;
    for (const auto layout : layouts)
        for (const auto algorithm : algorithms)
            for (const auto kind : kinds)
                wishes.push_back({kind, algorithm, layout});
    return wishes;
}

void add_kernels(Peer& peer, const Problem& p, const SharedData& data, bool with_winograd) {
    const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    const std::vector<memory::format_tag> preferred = preferred_layouts(p);
    const Bindings bindings = bindings_of(p);
    std::vector<dnnl::primitive_desc> taken;
    for (const Wish& wish : wishes_for(p, with_winograd)) {
        const PeerPrimitive made = describe(p, wish, engine);
        if (!made.asked)
            continue;
        const bool is_preferred = std::ranges::find(preferred, wish.maps) != preferred.end(),
                   is_plain = wish.maps == plain_layout(p);
        const auto same = std::ranges::find_if(
            taken, [&](const auto& other) { return are_same(other, made.asked, bindings); });
        if (same != taken.end()) {
            PeerKernel& kernel = peer.kernels[static_cast<std::size_t>(same - taken.begin())];
            kernel.is_preferred |= is_preferred;
            kernel.is_plain |= is_plain;
            continue;
        }
        taken.push_back(made.asked);
        const auto execution = std::make_shared<Execution>(p, made, data, engine);
        peer.kernels.push_back({name_of(p, wish, made.asked), is_preferred, is_plain,
                                [execution] { execution->run(); },
                                [execution] { return execution->result(); }});
    }
}

} // namespace

Peer make_peer(const Problem& problem, const SharedData& data, int threads, bool with_winograd) {
    Peer peer{{}, why_without_peer(problem)};
    if (!peer.reason.empty())
        return peer;
    // The library divides the work when a primitive is made, among as many threads as OpenMP has then.
    omp_set_num_threads(threads);
    try {
        add_kernels(peer, problem, data, with_winograd);
    } catch (const dnnl::error& error) {
        return {{}, fmt::format("oneDNN: {}", error.what())};
    }
    if (peer.kernels.empty())
        peer.reason = "oneDNN has no such primitive";
    return peer;
}

std::string peer_version() {
    const dnnl_version_t& version = *dnnl_version();
    return fmt::format("{}.{}.{}", version.major, version.minor, version.patch);
}

} // namespace lamina::versus
