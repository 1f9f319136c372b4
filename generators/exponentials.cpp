#include "generators/exponentials.hpp"

#include <limits>

namespace lamina {

using Halide::Func;

Exponentials shifted_exponentials(Stages& a, const Problem& p, const Func& input) {
    const Halide::RDom k(0, p.in.channels, "k");
    Func largest("largest"), exponential("exponential"), total("total");
    largest(a.x, a.y, a.n) = -std::numeric_limits<float>::infinity();
    largest(a.x, a.y, a.n) = max(largest(a.x, a.y, a.n), read(input, p, {k, a.x, a.y, a.n}));
    exponential(a.c, a.x, a.y, a.n) = exp(read(input, p, {a.c, a.x, a.y, a.n}) - largest(a.x, a.y, a.n));
    total(a.x, a.y, a.n) = 0.0f;
    total(a.x, a.y, a.n) += exponential(k, a.x, a.y, a.n);
    a.shared = {largest, exponential, total};
    return {largest, exponential, total};
}

} // namespace lamina
