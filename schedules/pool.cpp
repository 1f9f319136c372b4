// Pooling: vectors of channels, several columns at once, the whole window unrolled where it is small. Padding
// is decided where it is met, apart from the tiles that meet none, because these kernels wait for memory: a
// padded copy would go through it once more.
#include "schedules/nests.hpp"

#include <fmt/format.h>

namespace lamina {

namespace {

std::string fits(const Situation& s) {
    const Operator op = s.problem.op;
    if (!facts(op).has_window || facts(op).has_kernel || is_gradient(op) || op == Operator::max_unpool)
        return fmt::format("it schedules max_pool, average_pool and lp_pool, not {}", facts(op).name);
    return why_not_channelwise(s);
}

int lanes(const Situation& s) {
    return full_lanes_for(*s.target, s.problem.in.channels);
}

std::vector<int> column_choices(const Situation& s) {
    return column_choices(*s.target, output_shape(s.problem).width);
}

std::vector<int> strip_choices(const Situation& s) {
    return divisors(output_shape(s.problem).height);
}

std::string legal(const Situation& s, const Knobs& knobs) {
    const int columns = knobs.get("columns", 1), strip = knobs.get("strip", 1);
    const Shape out = output_shape(s.problem);
    if (std::string reason = why_not_columns(*s.target, out.width, columns); !reason.empty())
        return reason;
    if (!contains(strip_choices(s), strip))
        return fmt::format("strip:{}: must divide the output's {} rows", strip, out.height);
    return "";
}

// A strip is a task of at least some 64 KB, so that handing it out costs little.
int default_strip(const Situation& s) {
    const double row = 4.0 * s.problem.in.channels * s.problem.in.width * s.problem.stride.height;
    for (int strip : strip_choices(s))
        if (strip * row >= 65536)
            return strip;
    return strip_choices(s).back();
}

// Whether a tile of neighbouring columns loads most of an element's neighbours for the others as well.
bool shares_elements(const Problem& p) {
    return p.stride.width == 1 && p.dilation.width == 1 && p.kernel_size.width > 1;
}

// A tile of several columns loads less, but from more places of memory at once, which decides unless windows
// are one column apart: of 3x3 and 2x2 pools by strides of two on a Zen 3, one column was the best or within
// a tenth of it; eight took up to 1.4 times as long. 3x3 by strides of one on a Zen 5, 28x28x192: one column
// 28.7 us, two 21.8, three 20.1, four 20.7, eight 21.8.
Knobs defaults(const Situation& s, const Knobs&) {
    const int columns = shares_elements(s.problem) ? std::min(3, output_shape(s.problem).width) : 1;
    return {{"columns", columns}, {"strip", default_strip(s)}};
}

// Cycles of an image: an operation for each element of the window, one of two units busy, and twice as much
// where the columns leave no registers for the window's values; bytes of the strips, halos included, at eight
// a cycle.
double cost(const Situation& s, const Knobs& knobs) {
    const Problem& p = s.problem;
    const Shape out = output_shape(p);
    const int columns = knobs.get("columns"), strip = knobs.get("strip");
    const double loaded =
        shares_elements(p) ? (0.5 + 0.5 / columns) * (1 + 0.06 * columns) : 1 + 0.05 * columns;
    const double elements =
        ceil_div(out.width, columns) * columns * loaded * out.height * ceil_div(out.channels, lanes(s));
    const double window = static_cast<double>(p.kernel_size.height) * p.kernel_size.width;
    return elements * window * (columns > s.target->vector_registers / 2 ? 2 : 1) +
           padded_bytes(p, strip) * out.height / strip / 8;
}

AlgorithmRequest request(const Situation&, const Knobs&) {
    return {};
}

void apply(Stages& a, const Situation& s, const Knobs& knobs) {
    const Shape out = output_shape(s.problem);
    const Size kernel = s.problem.kernel_size;
    Halide::Var strip("strip"), row("row"), xo("xo"), xi("xi"), co("co"), ci("ci"), task("task");
    a.output.bound(a.c, 0, out.channels).bound(a.x, 0, out.width).bound(a.y, 0, out.height);
    a.output.split(a.y, strip, row, knobs.get("strip"))
        .split(a.x, xo, xi, knobs.get("columns"), Halide::TailStrategy::ShiftInwards)
        .split(a.c, co, ci, lanes(s), Halide::TailStrategy::ShiftInwards)
        .reorder(ci, xi, co, xo, row, strip, a.n)
        .vectorize(ci)
        .unroll(xi)
        .fuse(strip, a.n, task)
        .parallel(task);
    a.sum.compute_at(a.output, co).vectorize(a.c).unroll(a.x).unroll(a.y);
    a.sum.update().vectorize(a.c).unroll(a.x).unroll(a.y);
    if (kernel.height * kernel.width <= most_unrolled_taps)
        a.sum.update()
            .reorder(a.c, a.x, a.y, a.window[0], a.window[1])
            .unroll(a.window[0])
            .unroll(a.window[1]);
}

} // namespace

const Family pool_family = {
    .name = "pool",
    .meaning = "pooling by vectors of channels, for maps of contiguous channels",
    .knobs = {{"columns", "output columns computed together", column_choices},
              {"strip", "output rows that are one task", strip_choices}},
    .legal = legal,
    .defaults = defaults,
    .fits = fits,
    .request = request,
    .apply = apply,
    .cost = cost,
};

} // namespace lamina
