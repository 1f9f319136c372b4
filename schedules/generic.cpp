// Schedules any operator on any CPU target: vectors along the contiguous axis, each window summed in
// registers.
#include "schedules/nests.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lamina {

namespace {

std::string fits(const Situation& s) {
    return s.target->is_gpu ? fmt::format("target {} has no CPU vectors", s.target->name) : "";
}

std::string legal(const Situation&, const Knobs&) {
    return "";
}
Knobs defaults(const Situation&, const Knobs&) {
    return {};
}
AlgorithmRequest request(const Situation&, const Knobs&) {
    return {};
}
// Cycles of an image: a sum has one accumulator, for which each step waits.
double cost(const Situation& s, const Knobs&) {
    const double steps = static_cast<double>(operation_count(s.problem)) /
                         std::max(as_convolution(s.problem).in.batch, 1) /
                         (facts(s.problem.op).has_kernel ? 2 : 1) / s.target->lanes();
    return steps * s.target->fma_latency;
}
void apply(Stages& a, const Situation& s, const Knobs&) {
    schedule_generically(a, s);
}

} // namespace

const Family generic_family = {
    "generic", "any operator: vectors along the contiguous axis, each window summed in registers",
    {},        legal,
    defaults,  fits,
    request,   apply,
    cost,
};

} // namespace lamina
