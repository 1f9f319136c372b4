// A schedule family of this project's own: 1x1 convolution as a product of matrices. A tile of output
// channels and positions stays in registers while all input channels are summed.
#include "schedules/nests.hpp"

#include <fmt/format.h>

using namespace lamina;

namespace {

constexpr int vectors = 2; // of output channels, in a tile

int block(const Situation& s) {
    return vectors * s.target->lanes();
}

std::string fits(const Situation& s) {
    const Problem& p = s.problem;
    if (p.op != Operator::cross_correlation || p.kernel_size != Size(1) || p.stride != Size(1) ||
        resolved_padding(p) != valid || p.groups != 1 || p.layout != Layout::nhwc)
        return "it schedules cross_correlation with kernel_size=1, and everything else by default";
    if (s.target->is_gpu || p.out_channels % block(s) != 0)
        return fmt::format("out_channels={}: must be a multiple of {} on {}", p.out_channels, block(s),
                           s.target->name);
    return "";
}

// The sums share the registers with a tile's part of the kernel and one input.
std::vector<int> position_choices(const Situation& s) {
    std::vector<int> values{1};
    while (vectors * (values.back() + 1) + vectors + 1 <= s.target->vector_registers &&
           values.back() < s.problem.in.height * s.problem.in.width)
        values.push_back(values.back() + 1);
    return values;
}

std::string legal(const Situation& s, const Knobs& knobs) {
    const int most = position_choices(s).back(), positions = knobs.get("positions");
    return positions >= 1 && positions <= most
               ? ""
               : fmt::format("positions:{}: must be 1 to {} on {}", positions, most, s.target->name);
}

Knobs defaults(const Situation& s, const Knobs&) {
    return {{"positions", position_choices(s).back()}};
}

AlgorithmRequest request(const Situation& s, const Knobs&) {
    return {.kernel_block = block(s), .is_linear = true};
}

void apply(Stages& a, const Situation& s, const Knobs& knobs) {
    const int lanes = s.target->lanes(), map = s.problem.in.height * s.problem.in.width;
    Halide::Var co("co"), ci("ci"), tile("tile"), pi("pi");
    a.output.bound(a.c, 0, s.problem.out_channels).bound(a.p, 0, map).bound(a.y, 0, 1);
    a.output.split(a.p, tile, pi, knobs.get("positions"), Halide::TailStrategy::ShiftInwards)
        .split(a.c, co, ci, block(s), Halide::TailStrategy::RoundUp)
        .reorder(ci, pi, tile, co, a.y, a.n)
        .vectorize(ci, lanes)
        .unroll(ci)
        .unroll(pi)
        .parallel(co);
    a.sum.compute_at(a.output, tile).vectorize(a.c, lanes).unroll(a.c).unroll(a.p);
    a.sum.update().reorder(a.c, a.p, a.window[0]).vectorize(a.c, lanes).unroll(a.c).unroll(a.p);
}

const Family pointwise = {
    .name = "pointwise",
    .meaning = "1x1 convolution by a register tile of two vectors of output channels",
    .knobs = {{"positions", "output positions in the register tile", position_choices}},
    .legal = legal,
    .defaults = defaults,
    .fits = fits,
    .request = request,
    .apply = apply,
};

} // namespace

LAMINA_REGISTER_FAMILY(pointwise)
