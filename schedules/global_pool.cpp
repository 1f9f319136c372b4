// Pools of whole maps: vectors of channels side by side, so that each position gives whole cache lines and as
// many sums as hide the additions' latency.
#include "schedules/nests.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lamina {

namespace {

int lanes(const Situation& s) {
    return full_lanes_for(*s.target, s.problem.in.channels);
}

std::string fits(const Situation& s) {
    const Operator op = s.problem.op;
    if (op != Operator::global_max_pool && op != Operator::global_average_pool)
        return fmt::format("it schedules global_max_pool and global_average_pool, not {}", facts(op).name);
    return why_not_channelwise(s);
}

// Registers of a vector of sums: a maximum's index has its own.
int registers_used(const Situation& s, int vectors) {
    return vectors * (s.problem.indices ? 2 : 1) + 2;
}

std::vector<int> vector_choices(const Situation& s) {
    std::vector<int> values;
    for (int v = 1; v * lanes(s) <= s.problem.in.channels &&
                    (v == 1 || registers_used(s, v) <= s.target->vector_registers);
         ++v)
        values.push_back(v);
    return values;
}

std::string legal(const Situation& s, const Knobs& knobs) {
    if (const int vectors = knobs.get("vectors", 1); !contains(vector_choices(s), vectors))
        return fmt::format("vectors:{}: must be 1 to {}, within the {} channels and the {} vector registers "
                           "of {}",
                           vectors, vector_choices(s).back(), s.problem.in.channels,
                           s.target->vector_registers, s.target->name);
    return "";
}

// Cycles of an image: two additions a cycle, or the latency of a block's few, and the way from one position's
// channels to the next one's, which are in another page where there are a thousand or more. Measured on a Zen
// 3, 7x7x2048: twelve vectors take 0.62 of the time of eight.
double cost(const Situation& s, const Knobs& knobs) {
    const Shape& in = s.problem.in;
    const int vectors = knobs.get("vectors");
    const double additions = std::max<double>(vectors / 2.0, s.target->fma_latency) + 3;
    return static_cast<double>(in.height) * in.width * ceil_div(in.channels, vectors * lanes(s)) * additions;
}

Knobs defaults(const Situation& s, const Knobs&) {
    Knobs best;
    for (const int vectors : vector_choices(s)) {
        const Knobs knobs{{"vectors", vectors}};
        if (best.values().empty() || cost(s, knobs) < cost(s, best))
            best = knobs;
    }
    return best;
}

AlgorithmRequest request(const Situation&, const Knobs&) {
    return {};
}

void apply(Stages& a, const Situation& s, const Knobs& knobs) {
    const int channels = s.problem.in.channels, block = knobs.get("vectors") * lanes(s);
    Halide::Var co("co"), ci("ci"), task("task");
    a.output.bound(a.c, 0, channels).bound(a.x, 0, 1).bound(a.y, 0, 1);
    a.output.split(a.c, co, ci, block, Halide::TailStrategy::ShiftInwards)
        .reorder(ci, co, a.x, a.y, a.n)
        .vectorize(ci, lanes(s))
        .unroll(ci)
        .fuse(co, a.n, task)
        .parallel(task);
    a.sum.compute_at(a.output, task).store_in(Halide::MemoryType::Stack);
    a.sum.vectorize(a.c, lanes(s)).unroll(a.c);
    a.sum.update().reorder(a.c, a.window[0], a.window[1]).vectorize(a.c, lanes(s)).unroll(a.c);
}

} // namespace

const Family global_pool_family = {
    .name = "global_pool",
    .meaning = "pools of whole maps by vectors of channels side by side, for maps of contiguous channels",
    .knobs = {{"vectors", "vectors of channels computed together", vector_choices}},
    .legal = legal,
    .defaults = defaults,
    .fits = fits,
    .request = request,
    .apply = apply,
    .cost = cost,
};

} // namespace lamina
