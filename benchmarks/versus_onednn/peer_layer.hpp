// A problem in oneDNN's terms.
#pragma once

#include "lamina/shapes.hpp"

#include <dnnl.hpp>

#include <string>
#include <vector>

namespace lamina::versus {

// Dense descriptions of Lamina's operands; dimensions in oneDNN's order, strides as Lamina lays them out.
struct PeerOperands {
    dnnl::memory::desc src, weights, bias, dst;
};

// How a primitive is asked for.
struct Wish {
    dnnl::prop_kind kind = dnnl::prop_kind::forward_inference; // of what is computed forward
    dnnl::algorithm algorithm = dnnl::algorithm::convolution_direct;
    dnnl::memory::format_tag maps = dnnl::memory::format_tag::any;
};

struct PeerPrimitive {
    dnnl::primitive_desc forward; // of a gradient, the hint that it was made with
    dnnl::primitive_desc asked;   // empty where oneDNN has none
};

// Why oneDNN has no such primitive, or "".
std::string why_without_peer(const Problem& p);

PeerOperands peer_operands(const Problem& p);

PeerPrimitive describe(const Problem& p, const Wish& wish, const dnnl::engine& engine);

// The same of a convolution or pool that reads what another primitive gives, as it lies.
PeerPrimitive describe_behind(const Problem& p, const Wish& wish, const dnnl::memory::desc& src,
                              const dnnl::engine& engine);

// The layouts that it is worth to ask for maps of the problem, apart from the plain one.
std::vector<dnnl::memory::format_tag> preferred_layouts(const Problem& p);
dnnl::memory::format_tag plain_layout(const Problem& p);

bool is_pooling(const Problem& p);
bool is_max_pooling(const Problem& p);

} // namespace lamina::versus
