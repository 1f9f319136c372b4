// Gradients of pools: one tile is as many rows and columns as the windows' stride, or some of those side by
// side, so that it is settled at compile time which windows cover which of its elements.
#include "schedules/nests.hpp"

#include <fmt/format.h>

namespace lamina {

namespace {

// Beyond, code grows and compile time with it.
constexpr int max_unrolled_steps = 256;

// The least tile. An element of an unpooled map's source has a window of its own.
Size tile_size(const Problem& p) {
    return forward_of(p.op) == Operator::max_unpool ? Size(1) : p.stride;
}

// Steps of a tile: elements of windows, each of which is asked for each element of the tile.
int steps(const Problem& p, int strides) {
    const Size tile = tile_size(p);
    return tile.height * tile.width * strides * p.kernel_size.height * p.kernel_size.width;
}

int lanes(const Situation& s) {
    return full_lanes_for(*s.target, s.problem.in.channels);
}

std::vector<int> stride_choices(const Situation& s) {
    std::vector<int> values;
    for (int strides = 1; strides <= std::max(1, ceil_div(s.problem.in.width, tile_size(s.problem).width)) &&
                          (strides == 1 || steps(s.problem, strides) <= max_unrolled_steps);
         ++strides)
        values.push_back(strides);
    return values;
}

std::vector<int> strip_choices(const Situation& s) {
    return divisors(ceil_div(s.problem.in.height, tile_size(s.problem).height));
}

std::string fits(const Situation& s) {
    const Problem& p = s.problem;
    if (!facts(p.op).has_window || facts(p.op).has_kernel || facts(p.op).gradient != Gradient::input)
        return fmt::format(
            "it schedules the gradients of max_pool, average_pool, lp_pool and max_unpool, not {}",
            facts(p.op).name);
    if (steps(p, 1) > max_unrolled_steps)
        return fmt::format(
            "kernel_size={}x{} stride={}x{}: the windows of a tile of one stride have {} elements, and it "
            "unrolls at most {}",
            p.kernel_size.height, p.kernel_size.width, p.stride.height, p.stride.width, steps(p, 1),
            max_unrolled_steps);
    return why_not_channelwise(s);
}

std::string legal(const Situation& s, const Knobs& knobs) {
    const int strides = knobs.get("strides", 1), strip = knobs.get("strip", 1);
    if (!contains(stride_choices(s), strides))
        return fmt::format("strides:{}: must be 1 to {}, within the input's {} columns and {} unrolled steps",
                           strides, stride_choices(s).back(), s.problem.in.width, max_unrolled_steps);
    if (!contains(strip_choices(s), strip))
        return fmt::format("strip:{}: must divide the {} tiles over the input's rows", strip,
                           strip_choices(s).back());
    return "";
}

// Where no windows share elements, these kernels wait for memory as the pool does, and one stride is best;
// where they do, a wider tile asks fewer windows for each element. Measured on a Zen 5 with AVX-512, 3x3: by
// strides of one on 17x17x100 9.5 us with one, 3.9 with three, 3.0 with six; by strides of two on
// 35x35x17 3.6, 2.2 and 2.2, on 112x112x64 with AVX2 104, 83 and 87.
int default_strides(const Situation& s) {
    const Size tile = tile_size(s.problem);
    const bool is_overlapping = tile.width < detail::columns(s.problem).extent();
    const int wanted = !is_overlapping ? 1 : tile.width == 1 ? 6 : 3;
    return std::min(wanted, stride_choices(s).back());
}

// A strip is a task of its own, of at least some 16 KB, so that handing it out costs little.
Knobs defaults(const Situation& s, const Knobs&) {
    const Problem& p = s.problem;
    const double tile_row = 4.0 * p.in.width * p.in.channels * tile_size(p).height;
    int best = strip_choices(s).back();
    for (int strip : strip_choices(s))
        if (strip * tile_row >= 16384) {
            best = strip;
            break;
        }
    return {{"strides", default_strides(s)}, {"strip", best}};
}

AlgorithmRequest request(const Situation&, const Knobs&) {
    return {};
}

void apply(Stages& a, const Situation& s, const Knobs& knobs) {
    const Problem& p = s.problem;
    Halide::Var xo("xo"), xi("xi"), yo("yo"), yi("yi"), co("co"), ci("ci"), strip("strip"), row("row"),
        task("task");
    a.output.bound(a.c, 0, p.in.channels).bound(a.x, 0, p.in.width).bound(a.y, 0, p.in.height);
    a.output.split(a.y, yo, yi, tile_size(p).height, Halide::TailStrategy::GuardWithIf)
        .split(yo, strip, row, knobs.get("strip"))
        .split(a.x, xo, xi, tile_size(p).width * knobs.get("strides"), Halide::TailStrategy::GuardWithIf)
        .split(a.c, co, ci, lanes(s), Halide::TailStrategy::ShiftInwards)
        .reorder(ci, xi, yi, co, xo, row, strip, a.n)
        .vectorize(ci)
        .unroll(xi)
        .unroll(yi)
        .fuse(strip, a.n, task)
        .parallel(task);
    a.sum.compute_at(a.output, xi).vectorize(a.c);
    a.sum.update().vectorize(a.c).unroll(a.window[0]).unroll(a.window[1]);
}

} // namespace

const Family pool_gradient_family = {
    .name = "pool_gradient",
    .meaning = "gradients of pools by tiles of a stride, for maps of contiguous channels",
    .knobs = {{"strides", "strides of columns computed together", stride_choices},
              {"strip", "tiles below each other that are one task", strip_choices}},
    .legal = legal,
    .defaults = defaults,
    .fits = fits,
    .request = request,
    .apply = apply,
};

} // namespace lamina
