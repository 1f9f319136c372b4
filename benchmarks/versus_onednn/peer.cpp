#include "benchmarks/versus_onednn/peer.hpp"

#include "benchmarks/versus_onednn/peer_execution.hpp"
#include "benchmarks/versus_onednn/peer_sequence.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>

namespace lamina::versus {

namespace {

using dnnl::memory;

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
        if (is_sequence(problem))
            peer.kernels = sequence_kernels(problem, data);
        else
            add_kernels(peer, problem, data, with_winograd);
    } catch (const dnnl::error& error) {
        return {{}, fmt::format("oneDNN: {}", error.what())};
    }
    if (peer.kernels.empty())
        peer.reason = "oneDNN has no such primitive";
    return peer;
}

std::string limit_peer(const TargetFacts& target) {
    // With the longest vectors oneDNN also takes what else the CPU has.
    constexpr int longest = 64;
    if (target.vector_bytes == longest)
        return "";
    const dnnl::cpu_isa isa = target.vector_bytes == 32 ? dnnl::cpu_isa::avx2 : dnnl::cpu_isa::sse41;
    return dnnl::set_max_cpu_isa(isa) == dnnl::status::success
               ? ""
               : fmt::format("oneDNN takes no limit to the instructions of {}", target.name);
}

std::string peer_version() {
    const dnnl_version_t& version = *dnnl_version();
    return fmt::format("{}.{}.{}", version.major, version.minor, version.patch);
}

} // namespace lamina::versus
