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
// Cycles of an image: a sum has one accumulator, for which each step waits. A kernel that does not stay in
// the L2 cache is read across its rows, so that each step waits for a line of its own as well, some eight
// bytes a cycle. Measured on a Zen 3: dense 2048->1000, 18 times the time of `direct`.
double cost(const Situation& s, const Knobs&) {
    const Problem& p = s.problem;
    const bool has_kernel = facts(p.op).has_kernel;
    const double steps = static_cast<double>(operation_count(p)) / std::max(as_convolution(p).in.batch, 1) /
                         (has_kernel ? 2 : 1) / s.target->lanes();
    const bool is_far =
        reads_kernel(p.op) && 4.0 * static_cast<double>(kernel_operand(p).elements()) > s.target->l2_bytes;
    return steps * (s.target->fma_latency + (is_far ? line_bytes / 8 : 0));
}

void apply(Stages& a, const Situation& s, const Knobs&) {
    schedule_generically(a, s);
}

} // namespace

const Family generic_family = {
    .name = "generic",
    .meaning = "any operator: vectors along the contiguous axis, each window summed in registers",
    .knobs = {},
    .legal = legal,
    .defaults = defaults,
    .fits = fits,
    .request = request,
    .apply = apply,
    .cost = cost,
    .computes_once = true,
};

} // namespace lamina
