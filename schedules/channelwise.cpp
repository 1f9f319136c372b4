// The loop nest that pooling and depthwise convolution share: both look at a window of one channel at a time.
#include "schedules/nests.hpp"

#include <fmt/format.h>

namespace lamina {

namespace {

// Longest window whose taps are unrolled; beyond, code grows and compile time with it.
constexpr int max_unrolled_taps = 49;

Shape result_shape(const Situation& s) {
    return output_shape(as_convolution(s.problem));
}

int lanes(const Situation& s) {
    return full_lanes_for(*s.target, s.problem.in.channels);
}

std::vector<int> column_choices(const Situation& s) {
    std::vector<int> values;
    for (int columns = 1; columns <= result_shape(s).width && columns + 2 <= s.target->vector_registers;
         ++columns)
        values.push_back(columns);
    return values;
}

std::vector<int> strip_choices(const Situation& s) {
    return divisors(result_shape(s).height);
}

std::string legal(const Situation& s, const Knobs& knobs) {
    const int columns = knobs.get("columns", 1), strip = knobs.get("strip", 1);
    const Shape out = result_shape(s);
    if (!contains(column_choices(s), columns))
        return fmt::format(
            "columns:{}: must be 1 to {}, within the output's {} columns and the {} vector registers of {}",
            columns, column_choices(s).back(), out.width, s.target->vector_registers, s.target->name);
    if (!contains(strip_choices(s), strip))
        return fmt::format("strip:{}: must divide the output's {} rows", strip, out.height);
    return "";
}

// Columns' worth of work of one row: each tile also costs about half a column to begin. Windows that do not
// overlap share no loads, so that a tile of several columns only goes through more places of memory at once:
// 2x2 pools of 64 to 512 channels took 1.1 to 3 times as long in tiles of seven or eight on a Zen 3.
double row_cost(const Problem& p, int width, int columns) {
    const bool is_overlapping = p.stride.width < detail::columns(p).extent();
    return is_overlapping ? ceil_div(width, columns) * (columns + 0.5)
                          : ceil_div(width, columns) * columns * (1 + 0.05 * columns);
}

// Up to half of the registers, since the taps' values need the rest.
int default_columns(const Situation& s) {
    const int width = result_shape(s).width;
    int best = 1;
    double least = 1e300;
    for (int columns : column_choices(s)) {
        const double cost = row_cost(as_convolution(s.problem), width, columns);
        if (columns <= s.target->vector_registers / 2 && cost < least) {
            least = cost;
            best = columns;
        }
    }
    return best;
}

// As many rows as keep their padded input in most of the L2 cache, but at least two strips of a map that is
// worth two threads.
int default_strip(const Situation& s) {
    const Problem p = as_convolution(s.problem);
    const int height = output_shape(p).height;
    int best = 1;
    for (int strip : strip_choices(s))
        if (padded_bytes(p, strip) <= s.target->l2_bytes * 0.8 && (strip <= height / 2 || height <= 8))
            best = strip;
    return best;
}

Knobs defaults(const Situation& s, const Knobs&) {
    return channelwise_defaults(s);
}

// Cycles of an image: a multiply-add for each element of the window, one of two units busy, and twice as much
// where the columns leave no registers for the window's values; bytes of the strips, halos included, at eight
// a cycle, or four where a strip does not stay in the L2 cache.
double cost(const Situation& s, const Knobs& knobs) {
    const Problem p = as_convolution(s.problem);
    const Shape out = output_shape(p);
    const int columns = knobs.get("columns"), strip = knobs.get("strip");
    const double elements = row_cost(p, out.width, columns) * out.height * ceil_div(out.channels, lanes(s));
    const double window = static_cast<double>(p.kernel_size.height) * p.kernel_size.width;
    const double bytes = padded_bytes(p, strip) * out.height / strip;
    const bool stays = padded_bytes(p, strip) <= s.target->l2_bytes * 0.8;
    return elements * window * (columns > s.target->vector_registers / 2 ? 2 : 1) + bytes / (stays ? 8 : 4);
}

AlgorithmRequest request(const Situation&, const Knobs&) {
    return {};
}

void apply(Stages& a, const Situation& s, const Knobs& knobs) {
    apply_channelwise(a, s, knobs, Halide::TailStrategy::ShiftInwards);
}

} // namespace

void apply_channelwise(Stages& a, const Situation& s, const Knobs& knobs, Halide::TailStrategy columns_tail) {
    const Shape out = result_shape(s);
    const Size kernel = s.problem.kernel_size;
    Halide::Var strip("strip"), row("row"), xo("xo"), xi("xi"), co("co"), ci("ci"), task("task");
    a.output.bound(a.c, 0, out.channels).bound(a.x, 0, out.width).bound(a.y, 0, out.height);
    a.output.split(a.y, strip, row, knobs.get("strip"))
        .split(a.x, xo, xi, knobs.get("columns"), columns_tail)
        .split(a.c, co, ci, lanes(s), Halide::TailStrategy::ShiftInwards)
        .reorder(ci, xi, co, xo, row, strip, a.n)
        .vectorize(ci)
        .unroll(xi)
        .fuse(strip, a.n, task)
        .parallel(task);
    if (columns_tail == Halide::TailStrategy::GuardWithIf)
        a.sum.bound_extent(a.x, knobs.get("columns"));
    a.sum.compute_at(a.output, co).store_in(Halide::MemoryType::Stack).vectorize(a.c).unroll(a.x).unroll(a.y);
    a.sum.update().vectorize(a.c).unroll(a.x).unroll(a.y);
    const std::vector<Halide::RVar> taps = a.window.dimensions() == 3
                                               ? std::vector<Halide::RVar>{a.window[1], a.window[2]}
                                               : std::vector<Halide::RVar>{a.window[0], a.window[1]};
    if (kernel.height * kernel.width <= max_unrolled_taps)
        a.sum.update().reorder(a.c, a.x, a.y, taps[0], taps[1]).unroll(taps[0]).unroll(taps[1]);
    if (knobs.get("stored", 1) != 0)
        store_padded(a, s, task);
    else
        store_unpadded(a, s, task, knobs.get("strip"));
}

Knobs channelwise_defaults(const Situation& s) {
    return {{"columns", default_columns(s)}, {"strip", default_strip(s)}};
}

std::string why_not_channelwise(const Situation& s) {
    if (s.target->is_gpu)
        return fmt::format("target {} has no CPU vectors", s.target->name);
    if (s.problem.layout != Layout::nhwc)
        return "layout=nchw: it loads vectors of channels, which must be contiguous";
    return "";
}

Family channelwise_family(std::string_view name, std::string_view meaning,
                          std::string (*fits)(const Situation&)) {
    return {name,
            meaning,
            {{"columns", "output columns computed together", column_choices},
             {"strip", "output rows whose padded input is stored together", strip_choices}},
            legal,
            defaults,
            fits,
            request,
            apply,
            cost};
}

} // namespace lamina
