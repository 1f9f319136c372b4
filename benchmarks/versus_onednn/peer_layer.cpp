#include "benchmarks/versus_onednn/peer_layer.hpp"

#include <algorithm>

namespace lamina::versus {

namespace {

using dnnl::algorithm;
using dnnl::memory;
using Dims = memory::dims;
using Tag = memory::format_tag;

constexpr auto f32 = memory::data_type::f32;

bool is_global(const Problem& p) {
    return forward_of(p.op) == Operator::global_max_pool || forward_of(p.op) == Operator::global_average_pool;
}

bool is_dense(const Problem& p) {
    return forward_of(p.op) == Operator::dense;
}

Shape with_batch(Shape shape) {
    shape.batch = std::max(shape.batch, 1);
    return shape;
}

Dims dims_of(const Shape& shape) {
    return {shape.batch, shape.channels, shape.height, shape.width};
}

memory::desc map(const Shape& shape, Tag layout) {
    return {dims_of(with_batch(shape)), f32, layout};
}

// Lamina's kernels lie as rows, columns, input channels, output channels; the groups divide the latter.
memory::desc convolution_weights(const Problem& p) {
    const std::int64_t inputs = p.in.channels / p.groups, all_outputs = p.out_channels,
                       outputs = all_outputs / p.groups, height = p.kernel_size.height,
                       width = p.kernel_size.width;
    const std::int64_t column = inputs * all_outputs;
    if (p.groups == 1)
        return {{outputs, inputs, height, width}, f32, Dims{1, all_outputs, width * column, column}};
    return {{p.groups, outputs, inputs, height, width},
            f32,
            Dims{outputs, 1, all_outputs, width * column, column}};
}

// A dense layer's kernel has a row for every value of the input, in the map's memory order.
memory::desc dense_weights(const Problem& p) {
    const std::int64_t outputs = p.out_channels, height = p.in.height, width = p.in.width,
                       channels = p.in.channels;
    const Dims strides = p.layout == Layout::nhwc
                             ? Dims{1, outputs, width * channels * outputs, channels * outputs}
                             : Dims{1, height * width * outputs, width * outputs, outputs};
    return {{outputs, channels, height, width}, f32, strides};
}

memory::desc free_layout(const memory::desc& desc) {
    return {desc.get_dims(), f32, Tag::any};
}

// What windows step over, in oneDNN's terms: a dilation of 0 has no gaps, and the padding behind covers a
// last window that `ceil` lets begin inside.
struct Windows {
    Dims kernel, strides, dilates, before, after;
};

Windows windows_of(const Problem& p) {
    if (is_global(p))
        return {{p.in.height, p.in.width}, {1, 1}, {0, 0}, {0, 0}, {0, 0}};
    const Padding padding = resolved_padding(p);
    const Shape out = output_shape(p);
    const Size reach = padded_reach(p, {out.height, out.width});
    return {{p.kernel_size.height, p.kernel_size.width},
            {p.stride.height, p.stride.width},
            {p.dilation.height - 1, p.dilation.width - 1},
            {padding.top, padding.left},
            {std::max(padding.bottom, reach.height - p.in.height - padding.top),
             std::max(padding.right, reach.width - p.in.width - padding.left)}};
}

dnnl::primitive_attr attributes(const Problem& p) {
    dnnl::post_ops steps;
    for (int i = 0; i < p.epilogue.count; ++i)
        switch (p.epilogue.steps[static_cast<std::size_t>(i)]) {
        case Step::residual:
            steps.append_sum(1);
            break;
        case Step::relu:
            steps.append_eltwise(algorithm::eltwise_relu, 0, 0);
            break;
        case Step::relu6:
            steps.append_eltwise(algorithm::eltwise_clip, 0, 6);
            break;
        case Step::leaky_relu:
            steps.append_eltwise(algorithm::eltwise_relu, static_cast<float>(p.epilogue.leaky_slope.value()),
                                 0);
            break;
        case Step::silu:
            steps.append_eltwise(algorithm::eltwise_swish, 1, 0);
            break;
        case Step::sigmoid:
            steps.append_eltwise(algorithm::eltwise_logistic, 0, 0);
            break;
        case Step::tanh:
            steps.append_eltwise(algorithm::eltwise_tanh, 0, 0);
            break;
        case Step::hard_swish:
            steps.append_eltwise(algorithm::eltwise_hardswish, 1.0f / 6, 0.5f);
            break;
        case Step::gelu:
            steps.append_eltwise(algorithm::eltwise_gelu_erf, 0, 0);
            break;
        case Step::bias: // an operand of its own
            break;
        }
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(steps);
    return attributes;
}

algorithm pooling_algorithm(const Problem& p) {
    if (is_max_pooling(p))
        return algorithm::pooling_max;
    return p.count_padding ? algorithm::pooling_avg_include_padding : algorithm::pooling_avg_exclude_padding;
}

PeerPrimitive describe_pooling(const Problem& p, const memory::desc& src, const memory::desc& dst,
                               const Wish& wish, const dnnl::engine& engine) {
    const auto [kernel, strides, dilates, before, after] = windows_of(p);
    const auto kind = is_gradient(p.op) ? dnnl::prop_kind::forward_training : wish.kind;
    const dnnl::pooling_forward::primitive_desc forward(engine, kind, pooling_algorithm(p), src, dst, strides,
                                                        kernel, dilates, before, after, {}, true);
    if (!is_gradient(p.op) || !forward)
        return {forward, forward};
    return {forward,
            dnnl::pooling_backward::primitive_desc(engine, pooling_algorithm(p), src, dst, strides, kernel,
                                                   dilates, before, after, forward, {}, true)};
}

PeerPrimitive describe_dense(const Problem& p, const PeerOperands& wanted, const Wish& wish,
                             const dnnl::engine& engine) {
    const auto kind = is_gradient(p.op) ? dnnl::prop_kind::forward_training : wish.kind;
    const auto& [src, weights, bias, dst] = wanted;
    const dnnl::inner_product_forward::primitive_desc forward(engine, kind, src, weights, bias, dst,
                                                              attributes(p), true);
    if (!forward || !is_gradient(p.op))
        return {forward, forward};
    if (facts(p.op).gradient == Gradient::input)
        return {forward, dnnl::inner_product_backward_data::primitive_desc(engine, src, weights, dst, forward,
                                                                           {}, true)};
    return {forward, dnnl::inner_product_backward_weights::primitive_desc(engine, src, weights, dst, forward,
                                                                          {}, true)};
}

PeerPrimitive describe_convolution(const Problem& p, const PeerOperands& wanted, const Wish& wish,
                                   const dnnl::engine& engine) {
    const auto kind = is_gradient(p.op) ? dnnl::prop_kind::forward_training : wish.kind;
    const auto& [src, weights, bias, dst] = wanted;
    const auto [kernel, strides, dilates, before, after] = windows_of(p);
    const dnnl::convolution_forward::primitive_desc forward(engine, kind, wish.algorithm, src, weights, bias,
                                                            dst, strides, dilates, before, after,
                                                            attributes(p), true);
    if (!forward || !is_gradient(p.op))
        return {forward, forward};
    if (facts(p.op).gradient == Gradient::input)
        return {forward, dnnl::convolution_backward_data::primitive_desc(engine, wish.algorithm, src, weights,
                                                                         dst, strides, dilates, before, after,
                                                                         forward, {}, true)};
    return {forward, dnnl::convolution_backward_weights::primitive_desc(engine, wish.algorithm, src, weights,
                                                                        dst, strides, dilates, before, after,
                                                                        forward, {}, true)};
}

} // namespace

bool is_max_pooling(const Problem& p) {
    return forward_of(p.op) == Operator::max_pool || forward_of(p.op) == Operator::global_max_pool;
}

bool is_pooling(const Problem& p) {
    return is_max_pooling(p) || forward_of(p.op) == Operator::average_pool ||
           forward_of(p.op) == Operator::global_average_pool;
}

std::string why_without_peer(const Problem& p) {
    const Gradient gradient = facts(p.op).gradient;
    if (p.op == Operator::separable_convolution) {
        const std::string reason = why_without_peer(depthwise_part(p));
        return reason.empty() ? why_without_peer(pointwise_part(p)) : reason;
    }
    if (p.op == Operator::pooled_cross_correlation)
        return why_without_peer(as_convolution(p));
    if (forward_of(p.op) != Operator::cross_correlation && !is_dense(p) && !is_pooling(p))
        return "of this operator no oneDNN primitive is asked for";
    if (gradient == Gradient::bias || gradient == Gradient::residual)
        return "oneDNN has no primitive for this gradient alone";
    if (p.type != Type::f32)
        return "oneDNN does not sum 32-bit integers";
    if (p.padding_mode != PaddingMode::zeros)
        return "oneDNN pads with zeros alone";
    if (is_gradient(p.op) && p.epilogue.count > 0)
        return "oneDNN's gradients have no epilogue";
    if (p.indices || p.preactivation)
        return "oneDNN has no such second result";
    if (p.ceil && forward_of(p.op) == Operator::average_pool && p.count_padding)
        return "oneDNN counts the padding of the last windows otherwise";
    if (p.epilogue.has(Step::bias) && p.epilogue.steps[0] != Step::bias)
        return "oneDNN adds the bias first";
    return "";
}

PeerOperands peer_operands(const Problem& p) {
    PeerOperands operands;
    const Shape out = with_batch(output_shape(p));
    operands.src = map(p.in, plain_layout(p));
    operands.dst =
        is_dense(p) ? memory::desc({out.batch, out.channels}, f32, Tag::nc) : map(out, plain_layout(p));
    if (is_dense(p))
        operands.weights = dense_weights(p);
    else if (!is_pooling(p))
        operands.weights = convolution_weights(p);
    if (p.epilogue.has(Step::bias))
        operands.bias = memory::desc({p.out_channels}, f32, Tag::x);
    return operands;
}

PeerPrimitive describe(const Problem& p, const Wish& wish, const dnnl::engine& engine) {
    if (is_pooling(p))
        return describe_pooling(p, map(p.in, wish.maps), map(output_shape(p), wish.maps), wish, engine);
    PeerOperands wanted = peer_operands(p);
    // The weights' layout is oneDNN's choice in any case: Lamina packs its kernels as well.
    wanted.weights = free_layout(wanted.weights);
    if (wish.maps == Tag::any) {
        wanted.src = free_layout(wanted.src);
        wanted.dst = free_layout(wanted.dst);
    }
    return is_dense(p) ? describe_dense(p, wanted, wish, engine)
                       : describe_convolution(p, wanted, wish, engine);
}

PeerPrimitive describe_behind(const Problem& p, const Wish& wish, const memory::desc& src,
                              const dnnl::engine& engine) {
    PeerOperands wanted = peer_operands(p);
    wanted.src = src;
    if (wish.maps == Tag::any)
        wanted.dst = free_layout(wanted.dst);
    if (is_pooling(p))
        return describe_pooling(p, wanted.src, wanted.dst, wish, engine);
    wanted.weights = free_layout(wanted.weights);
    return describe_convolution(p, wanted, wish, engine);
}

// A pooling's input may not be left open, as it takes the layout of the layer before it: the layouts are
// those that oneDNN's convolutions choose.
std::vector<Tag> preferred_layouts(const Problem& p) {
    return is_pooling(p) ? std::vector{Tag::nhwc, Tag::nChw8c, Tag::nChw16c} : std::vector{Tag::any};
}

Tag plain_layout(const Problem& p) {
    return p.layout == Layout::nhwc ? Tag::nhwc : Tag::nchw;
}

} // namespace lamina::versus
