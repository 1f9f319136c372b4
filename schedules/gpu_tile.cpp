// Convolution on a GPU: a block of threads per tile of channels and columns, each thread sums one output in a
// register.
#include "schedules/nests.hpp"

#include <fmt/format.h>

namespace lamina {

namespace {

std::string fits(const Situation& s) {
    if (!s.target->is_gpu)
        return fmt::format("target {} is not a GPU", s.target->name);
    if (s.problem.op != Operator::cross_correlation)
        return fmt::format("it schedules cross_correlation, not {}", facts(s.problem.op).name);
    return "";
}

std::vector<int> channel_choices(const Situation&) {
    return {1, 2, 4, 8, 16, 32, 64};
}
std::vector<int> column_choices(const Situation&) {
    return {1, 2, 4, 8, 16};
}

std::string legal(const Situation& s, const Knobs& knobs) {
    const int channels = knobs.get("channels", 1), columns = knobs.get("columns", 1);
    if (!contains(channel_choices(s), channels))
        return fmt::format("channels:{}: must be a power of two up to 64", channels);
    if (!contains(column_choices(s), columns))
        return fmt::format("columns:{}: must be a power of two up to 16", columns);
    if (channels * columns > 256)
        return fmt::format(
            "channels:{} columns:{}: more than the 256 threads that every OpenCL device gives a block",
            channels, columns);
    return "";
}

Knobs defaults(const Situation&, const Knobs&) {
    return {{"channels", 16}, {"columns", 8}};
}
AlgorithmRequest request(const Situation&, const Knobs&) {
    return {};
}

void apply(Stages& a, const Situation& s, const Knobs& knobs) {
    const Shape out = output_shape(s.problem);
    Halide::Var cb("cb"), ct("ct"), xb("xb"), xt("xt"), rows("rows");
    a.output.bound(a.c, 0, out.channels).bound(a.x, 0, out.width).bound(a.y, 0, out.height);
    a.output.reorder(a.c, a.x, a.y, a.n)
        .fuse(a.y, a.n, rows)
        .split(a.c, cb, ct, knobs.get("channels"), Halide::TailStrategy::GuardWithIf)
        .split(a.x, xb, xt, knobs.get("columns"), Halide::TailStrategy::GuardWithIf)
        .reorder(ct, xt, cb, xb, rows)
        .gpu_blocks(cb, xb, rows)
        .gpu_threads(ct, xt);
    a.sum.compute_at(a.output, ct);
}

} // namespace

const Family gpu_tile_family = {
    .name = "gpu_tile",
    .meaning = "convolution on a GPU, one thread per output element",
    .knobs = {{"channels", "output channels of a block of threads", channel_choices},
              {"columns", "output columns of a block of threads", column_choices}},
    .legal = legal,
    .defaults = defaults,
    .fits = fits,
    .request = request,
    .apply = apply,
    .computes_once = true,
};

} // namespace lamina
