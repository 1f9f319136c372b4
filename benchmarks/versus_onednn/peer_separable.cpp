#include "benchmarks/versus_onednn/peer_separable.hpp"

#include "benchmarks/versus_onednn/peer_execution.hpp"

#include <fmt/format.h>

namespace lamina::versus {

namespace {

using dnnl::memory;

struct Sequence {
    PeerPrimitive depthwise, pointwise;
};

std::string name_of(const Sequence& sequence, const Wish& wish, dnnl::prop_kind behind) {
    const auto kind = [](dnnl::prop_kind asked) {
        return asked == dnnl::prop_kind::forward_training ? "training" : "inference";
    };
    return fmt::format("{} {} + {} {} {}", sequence.depthwise.asked.impl_info_str(), kind(wish.kind),
                       sequence.pointwise.asked.impl_info_str(), kind(behind),
                       wish.maps == memory::format_tag::any ? "any" : "plain");
}

Bindings bindings_of_depthwise(const Problem& depthwise) {
    Bindings bindings = bindings_of(depthwise);
    for (Binding& binding : bindings.inputs) {
        binding.operand = binding.operand == "kernel" ? "depthwise_kernel"
                          : binding.operand == "bias" ? "depthwise_bias"
                                                      : binding.operand;
    }
    return bindings;
}

Bindings bindings_of_pointwise(const Problem& pointwise) {
    Bindings bindings = bindings_of(pointwise);
    std::erase_if(bindings.inputs, [](const Binding& binding) { return binding.argument == DNNL_ARG_SRC; });
    return bindings;
}

} // namespace

std::vector<PeerKernel> separable_kernels(const Problem& problem, const SharedData& data) {
    const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    const Problem depthwise = depthwise_part(problem), pointwise = pointwise_part(problem);
    std::vector<PeerKernel> kernels;
    for (const auto maps : {memory::format_tag::any, plain_layout(problem)})
        for (const auto kind : {dnnl::prop_kind::forward_inference, dnnl::prop_kind::forward_training})
            for (const auto behind :
                 {dnnl::prop_kind::forward_inference, dnnl::prop_kind::forward_training}) {
                const Wish wish{kind, dnnl::algorithm::convolution_direct, maps};
                Sequence sequence{describe(depthwise, wish, engine), {}};
                if (!sequence.depthwise.asked)
                    continue;
                sequence.pointwise = describe_behind(pointwise, {behind, wish.algorithm, maps},
                                                     sequence.depthwise.asked.dst_desc(), engine);
                if (!sequence.pointwise.asked)
                    continue;
                const auto first = std::make_shared<Execution>(depthwise, sequence.depthwise, data, engine,
                                                               bindings_of_depthwise(depthwise), memory());
                const auto second =
                    std::make_shared<Execution>(pointwise, sequence.pointwise, data, engine,
                                                bindings_of_pointwise(pointwise), first->output());
                kernels.push_back({name_of(sequence, wish, behind), maps == memory::format_tag::any,
                                   maps != memory::format_tag::any,
                                   [first, second] {
                                       first->run();
                                       second->run();
                                   },
                                   [first, second] {
                                       first->run();
                                       return second->result();
                                   }});
            }
    return kernels;
}

} // namespace lamina::versus
