#include "benchmarks/versus_onednn/peer_sequence.hpp"

#include "benchmarks/versus_onednn/peer_execution.hpp"

#include <fmt/format.h>

namespace lamina::versus {

namespace {

using dnnl::memory;

struct Sequence {
    PeerPrimitive first, second;
};

std::string name_of(const Sequence& sequence, const Wish& wish, dnnl::prop_kind behind) {
    const auto kind = [](dnnl::prop_kind asked) {
        return asked == dnnl::prop_kind::forward_training ? "training" : "inference";
    };
    return fmt::format("{} {} + {} {} {}", sequence.first.asked.impl_info_str(), kind(wish.kind),
                       sequence.second.asked.impl_info_str(), kind(behind),
                       wish.maps == memory::format_tag::any ? "any" : "plain");
}

bool is_separable(const Problem& problem) {
    return problem.op == Operator::separable_convolution;
}

Bindings bindings_of_first(const Problem& problem, const Problem& first) {
    Bindings bindings = bindings_of(first);
    for (Binding& binding : bindings.inputs)
        if (is_separable(problem))
            binding.operand = binding.operand == "kernel" ? "depthwise_kernel"
                              : binding.operand == "bias" ? "depthwise_bias"
                                                          : binding.operand;
    return bindings;
}

Bindings bindings_of_second(const Problem& second) {
    Bindings bindings = bindings_of(second);
    std::erase_if(bindings.inputs, [](const Binding& binding) { return binding.argument == DNNL_ARG_SRC; });
    return bindings;
}

} // namespace

bool is_sequence(const Problem& problem) {
    return is_separable(problem) || problem.op == Operator::pooled_cross_correlation;
}

std::vector<PeerKernel> sequence_kernels(const Problem& problem, const SharedData& data) {
    const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    const bool separable = is_separable(problem);
    const Problem first_part = separable ? depthwise_part(problem) : as_convolution(problem);
    const Problem second_part = separable ? pointwise_part(problem) : pooling_part(problem);
    std::vector<PeerKernel> kernels;
    for (const auto maps : {memory::format_tag::any, plain_layout(problem)})
        for (const auto kind : {dnnl::prop_kind::forward_inference, dnnl::prop_kind::forward_training})
            for (const auto behind :
                 {dnnl::prop_kind::forward_inference, dnnl::prop_kind::forward_training}) {
                const Wish wish{kind, dnnl::algorithm::convolution_direct, maps};
                Sequence sequence{describe(first_part, wish, engine), {}};
                if (!sequence.first.asked)
                    continue;
                sequence.second = describe_behind(second_part, {behind, wish.algorithm, maps},
                                                  sequence.first.asked.dst_desc(), engine);
                if (!sequence.second.asked)
                    continue;
                const auto first =
                    std::make_shared<Execution>(first_part, sequence.first, data, engine,
                                                bindings_of_first(problem, first_part), memory());
                const auto second =
                    std::make_shared<Execution>(second_part, sequence.second, data, engine,
                                                bindings_of_second(second_part), first->output());
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
