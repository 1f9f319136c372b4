// Depthwise convolution: every channel has its own kernel, so vectors run over channels and the window is
// unrolled. The input is read as it is, or its padding is stored with it strip by strip.
#include "schedules/nests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace lamina {

namespace {

std::string fits(const Situation& s) {
    const Problem& p = s.problem;
    if (!is_one_sum(p) || !facts(p.op).has_window)
        return fmt::format("it schedules convolutions, not {}", facts(p.op).name);
    if (p.groups != p.in.channels || p.out_channels != p.in.channels)
        return fmt::format("groups={}: it needs one group, one input and one output channel each", p.groups);
    if (std::string reason = why_not_cpu_sums(s); !reason.empty())
        return reason;
    if (may_be_in_place(p) && p.in.channels % full_lanes_for(*s.target, p.in.channels) != 0)
        return fmt::format(
            "{} channels: must be a multiple of a vector's {}, since none may be computed twice "
            "in the memory of an input",
            p.in.channels, full_lanes_for(*s.target, p.in.channels));
    return why_not_channelwise(s);
}

// Output columns between two that meet the same columns of the kernel, and the same for rows.
Size phases(const Problem& p) {
    return p.op == Operator::transposed_convolution ? p.stride : Size(1);
}

Shape result_shape(const Situation& s) {
    return output_shape(as_convolution(s.problem));
}

int lanes(const Situation& s) {
    return full_lanes_for(*s.target, s.problem.in.channels);
}

int vectors_of_channels(const Situation& s) {
    return ceil_div(s.problem.in.channels, lanes(s));
}

std::vector<int> column_choices(const Situation& s) {
    const int width = result_shape(s).width;
    std::vector<int> values = column_choices(*s.target, width);
    std::erase_if(values,
                  [&](int columns) { return !why_computed_twice(s, "columns", columns, width).empty(); });
    return values;
}

std::vector<int> strip_choices(const Situation& s) {
    return divisors(result_shape(s).height);
}

std::vector<int> vector_choices(const Situation& s) {
    return divisors(vectors_of_channels(s));
}

std::vector<int> stored_choices(const Situation& s) {
    return as_convolution(s.problem).padding_mode == PaddingMode::zeros ? std::vector{0, 1} : std::vector{1};
}

// Why the next row's input is not fetched ahead, or "".
std::string why_no_prefetch(const Situation& s, const Knobs& knobs) {
    const Problem p = as_convolution(s.problem);
    if (p.op == Operator::transposed_convolution)
        return "rows of the input lie between rows of the output";
    if (knobs.get("stored", 0) != 0 || takes_slope(s.problem))
        return "the input is stored strip by strip";
    if (knobs.get("vectors", vectors_of_channels(s)) != vectors_of_channels(s))
        return "a row is gone through for some vectors of channels only";
    return "";
}

std::vector<int> ahead_choices(const Situation& s) {
    const Knobs readable{{"stored", stored_choices(s).front()}};
    return why_no_prefetch(s, readable).empty() ? std::vector{0, 1} : std::vector{0};
}

std::string legal(const Situation& s, const Knobs& knobs) {
    const int columns = knobs.get("columns", 1), strip = knobs.get("strip", 1);
    const Shape out = result_shape(s);
    std::string reason = why_not_columns(*s.target, out.width, columns);
    if (reason.empty())
        reason = why_computed_twice(s, "columns", columns, out.width);
    if (!reason.empty())
        return reason;
    if (!contains(strip_choices(s), strip))
        return fmt::format("strip:{}: must divide the output's {} rows", strip, out.height);
    if (const int vectors = knobs.get("vectors", 1); !contains(vector_choices(s), vectors))
        return fmt::format("vectors:{}: must divide the {} vectors of channels", vectors,
                           vectors_of_channels(s));
    if (const int stored = knobs.get("stored", 1); !contains(stored_choices(s), stored))
        return fmt::format("stored:{}: must be 0 or 1, and 1 where padding is not zeros", stored);
    const int ahead = knobs.get("ahead", 0);
    if (ahead != 0 && (ahead != 1 || !why_no_prefetch(s, knobs).empty()))
        return fmt::format("ahead:{}: {}", ahead, ahead == 1 ? why_no_prefetch(s, knobs) : "must be 0 or 1");
    return "";
}

// Columns' worth of work of one row: each tile also costs about half a column to begin. Windows that do not
// overlap share no loads, so that a tile of several columns only goes through more places of memory at once:
// pools of 2x2 windows and 64 to 512 channels took 1.1 to 3 times as long in tiles of seven or eight on a
// Zen 3.
double row_cost(const Problem& p, int width, int columns) {
    const bool is_overlapping = p.stride.width < detail::columns(p).extent();
    return is_overlapping ? ceil_div(width, columns) * (columns + 0.5)
                          : ceil_div(width, columns) * columns * (1 + 0.05 * columns);
}

// Columns of a tile: up to half of the registers, since the taps' values need the rest.
int columns_in_registers(const Situation& s) {
    return s.target->vector_registers / 2;
}

int stored_columns(const Situation& s) {
    const int width = result_shape(s).width;
    int best = 1;
    double least = 1e300;
    for (int columns : column_choices(s)) {
        const double cost = row_cost(as_convolution(s.problem), width, columns);
        if (columns <= columns_in_registers(s) && cost < least) {
            least = cost;
            best = columns;
        }
    }
    return best;
}

// As many rows as keep their padded input in most of the L2 cache, but at least two strips of a map that is
// worth two threads.
int stored_strip(const Situation& s) {
    const Problem p = as_convolution(s.problem);
    const int height = output_shape(p).height;
    int best = 1;
    for (int strip : strip_choices(s))
        if (padded_bytes(p, strip) <= s.target->l2_bytes * 0.8 && (strip <= height / 2 || height <= 8))
            best = strip;
    return best;
}

// Cycles of an image: a multiply-add for each element of the window, one of two units busy, and twice as much
// where the columns leave no registers for the window's values; bytes of the strips, halos included, at eight
// a cycle, or four where a strip does not stay in the L2 cache.
double stored_cost(const Situation& s, const Knobs& knobs) {
    const Problem p = as_convolution(s.problem);
    const Shape out = output_shape(p);
    const int columns = knobs.get("columns"), strip = knobs.get("strip");
    const double elements = row_cost(p, out.width, columns) * out.height * ceil_div(out.channels, lanes(s));
    const double window = static_cast<double>(p.kernel_size.height) * p.kernel_size.width;
    const double bytes = padded_bytes(p, strip) * out.height / strip;
    const bool stays = padded_bytes(p, strip) <= s.target->l2_bytes * 0.8;
    return elements * window * (columns > columns_in_registers(s) ? 2 : 1) + bytes / (stays ? 8 : 4);
}

int tap_columns(const Problem& p) {
    return ceil_div(p.kernel_size.width, phases(p).width);
}

// Cycles of an image: tiles of vectors, each with its multiply-adds, or the latency of one chain of them;
// loads of the input that its columns share, of the kernel and stores, two a cycle; and what it takes to
// begin. Columns beyond half of the registers leave none for values that the input's columns share.
double unstored_cost(const Situation& s, const Knobs& knobs) {
    const Problem p = as_convolution(s.problem);
    const Shape out = output_shape(p);
    const int columns = knobs.get("columns"), registers = s.target->vector_registers;
    const double lanes = full_lanes_for(*s.target, p.in.channels);
    const double tap_rows = static_cast<double>(p.kernel_size.height) / phases(p).height;
    const double multiply_adds = tap_rows * p.kernel_size.width / phases(p).width * columns;
    const double reach = tap_columns(p) + (columns - 1.0) * window_stride(p).width / phases(p).width;
    const double in_flight = columns + tap_columns(p) + std::min<double>(reach, p.kernel_size.width);
    const double loads = tap_rows * (reach + tap_columns(p)) + 2.0 * columns;
    const double spills = std::max(0.0, in_flight - registers) * tap_rows * 2;
    const double tile = std::max(multiply_adds / s.target->fma_per_cycle, (loads + spills) / 2) + 4;
    const double tiles = ceil_div(out.width, columns) * out.height * std::ceil(out.channels / lanes);
    // Phases of the stride that a tile does not hold are told apart while it is computed.
    return tiles * tile * (columns % phases(p).width == 0 ? 1 : 4);
}

double cost(const Situation& s, const Knobs& knobs) {
    return knobs.get("stored") != 0 ? stored_cost(s, knobs) : unstored_cost(s, knobs);
}

// A row of the output looks at rows of the input that the next one looks at again: two cache lines of each
// stay in the L1 cache meanwhile, whole rows often do not. From beyond the L2 cache whole rows come faster.
// Measured on a Zen 5, all vectors at once and two: 11.7 and 7.9 us for 384 channels on 14x14, 24 and 18 for
// 192 on 28x28, but 75 and 105 for 96 on 112x112 with stride 2.
int default_vectors(const Situation& s) {
    const std::vector<int> choices = vector_choices(s);
    const Problem p = as_convolution(s.problem);
    if (4 * image_elements(p.in) * std::max(p.in.batch, 1) > s.target->l2_bytes)
        return choices.back();
    const int line_pair = ceil_div(2 * line_floats, lanes(s));
    return *std::ranges::find_if(choices, [&](int v) { return v >= line_pair || v == choices.back(); });
}

// At least four tasks where there are enough rows. Where some channels are computed for all of a strip's rows
// before the next ones, these go through all of its pages of memory each time: so few that the processor has
// their addresses at hand, but at least two rows.
int unstored_strip(const Situation& s, int vectors) {
    constexpr double most_bytes = 160 << 10;
    const int height = result_shape(s).height;
    const bool has_chunks = vectors < vectors_of_channels(s);
    const auto is_small = [&](int strip) {
        return !has_chunks || strip <= 2 || padded_bytes(as_convolution(s.problem), strip) <= most_bytes;
    };
    int best = 1;
    for (int strip : divisors(height))
        if ((strip * 4 <= height && is_small(strip)) || height <= 8)
            best = strip;
    return best;
}

// Channels from which on a tile's columns lie so far apart that the core does not see them coming.
constexpr int many_channels = 64;

// Whether the core waits for the input: an image's comes from beyond the L2 cache. Measured on a Zen 4 with
// AVX2, best times with the row fetched ahead and without: 3x3 on eight images of 112x112x96 by strides of
// two 2.3 and 4.4 ms, of 56x56x144 2.4 and 3.2, of 112x112x32 1.5 and 2.2; on one of 56x56x144 0.129 and
// 0.140, of 112x112x32, which lies in the cache behind the L2, 0.110 and 0.109.
int default_ahead(const Situation& s, const Knobs& knobs) {
    const Problem p = as_convolution(s.problem);
    const bool is_far =
        p.in.channels >= many_channels ? 4 * image_elements(p.in) > s.target->l2_bytes : are_maps_far(p);
    return is_far && why_no_prefetch(s, knobs).empty() ? 1 : 0;
}

// Each of a tile's columns is a place of its own in memory, of as many bytes as there are channels. Fewer of
// them are faster where all maps come from beyond the caches that cores share, or an input by strides from
// beyond the L2 cache. Measured on a Zen 4 with AVX2: 3x3 on eight images of 56x56x144 4.8 ms in tiles of
// seven or eight and 3.7 in tiles of two, fetched ahead 2.9, 2.6 of four and 2.5; of 112x112x96 by strides of
// two 6.0 and 4.4, fetched ahead 3.3, 3.0 of four and 2.5; by strides of two on one of 112x112x96 0.148 ms in
// tiles of seven and 0.134 of four, both fetched ahead.
int most_columns(const Situation& s, bool is_ahead) {
    const Problem p = as_convolution(s.problem);
    const bool has_strides = window_stride(p).width > 1;
    const int most = columns_in_registers(s);
    if (are_maps_far(p) && (p.in.channels >= many_channels || is_ahead))
        return std::min(most, is_ahead && !has_strides ? 4 : 2);
    return has_strides && 4 * image_elements(p.in) > 2 * s.target->l2_bytes ? std::min(most, 4) : most;
}

Knobs defaults(const Situation& s, const Knobs& given) {
    const int vectors = given.get("vectors", default_vectors(s));
    Knobs best{{"columns", stored_columns(s)},
               {"strip", stored_strip(s)},
               {"vectors", vectors},
               {"stored", given.get("stored", stored_choices(s).front())},
               {"ahead", 0}};
    if (best.get("stored") != 0)
        return best;
    best.set("strip", unstored_strip(s, vectors));
    double least = 1e300;
    best.set("ahead", given.get("ahead", default_ahead(s, best)));
    Knobs knobs = best;
    const int most = most_columns(s, best.get("ahead") != 0);
    for (int columns : column_choices(s)) {
        knobs.set("columns", columns);
        if (const double cycles = unstored_cost(s, knobs); columns <= most && cycles < least) {
            least = cycles;
            best = knobs;
        }
    }
    return best;
}

AlgorithmRequest request(const Situation& s, const Knobs& knobs) {
    AlgorithmRequest request{.skips_padding = knobs.get("stored") == 0};
    if (knobs.get("ahead") != 0)
        request.input_prefetch = {.rows = 1,
                                  .strips = {{".task"}, {".row", knobs.get("strip")}},
                                  .parts = {{".xo", ceil_div(result_shape(s).width, knobs.get("columns"))},
                                            {".co", knobs.get("vectors")}}};
    return request;
}

void apply(Stages& a, const Situation& s, const Knobs& knobs) {
    const Shape out = result_shape(s);
    const Problem p = as_convolution(s.problem);
    const Size kernel = p.kernel_size;
    const int columns = knobs.get("columns");
    const bool is_stored = knobs.get("stored") != 0;
    // Tiles begin at a multiple of their columns, so that it is settled at compile time which columns of a
    // strided transposed kernel meet an element.
    const bool shifts = phases(p).width == 1 || is_stored || out.width % columns == 0;
    Halide::Var strip("strip"), row("row"), xo("xo"), xi("xi"), chunk("chunk"), co("co"), ci("ci"),
        task("task");
    a.output.bound(a.c, 0, out.channels).bound(a.x, 0, out.width).bound(a.y, 0, out.height);
    a.output.split(a.y, strip, row, knobs.get("strip"))
        .split(a.x, xo, xi, columns,
               shifts ? Halide::TailStrategy::ShiftInwards : Halide::TailStrategy::GuardWithIf)
        .split(a.c, co, ci, lanes(s), Halide::TailStrategy::ShiftInwards)
        .split(co, chunk, co, knobs.get("vectors"))
        .reorder(ci, xi, co, xo, row, chunk, strip, a.n)
        .vectorize(ci)
        .unroll(xi);
    // A map that is stored or, where it takes a slope, computed has all channels of a strip at once.
    if (knobs.get("strip") == out.height && !is_stored && !takes_slope(s.problem))
        a.output.fuse(chunk, strip, task).fuse(task, a.n, task);
    else
        a.output.fuse(strip, a.n, task);
    a.output.parallel(task);
    if (!shifts)
        a.sum.bound_extent(a.x, columns);
    a.sum.compute_at(a.output, co).store_in(Halide::MemoryType::Stack).vectorize(a.c).unroll(a.x).unroll(a.y);
    a.sum.update().vectorize(a.c).unroll(a.x).unroll(a.y);
    const std::vector<Halide::RVar> taps = a.window.dimensions() == 3
                                               ? std::vector<Halide::RVar>{a.window[1], a.window[2]}
                                               : std::vector<Halide::RVar>{a.window[0], a.window[1]};
    if (kernel.height * kernel.width <= most_unrolled_taps)
        a.sum.update().reorder(a.c, a.x, a.y, taps[0], taps[1]).unroll(taps[0]).unroll(taps[1]);
    if (is_stored)
        store_padded(a, s, task);
    else
        store_unpadded(a, s, task, knobs.get("strip"));
}

} // namespace

const Family depthwise_family = {
    .name = "depthwise",
    .meaning = "convolution that keeps channels apart, for maps of contiguous channels",
    .knobs = {{"columns", "output columns computed together", column_choices},
              {"strip", "output rows of a task, whose padded input is stored together where that is stored",
               strip_choices},
              {"vectors",
               "vectors of channels of which all rows of a strip are computed before the next ones",
               vector_choices},
              {"stored", "1: the padded input is stored; 0: it is read as it is", stored_choices},
              {"ahead", "1: while a row is computed the next one's input is fetched", ahead_choices}},
    .legal = legal,
    .defaults = defaults,
    .fits = fits,
    .request = request,
    .apply = apply,
    .cost = cost,
    .computes_once = true,
};

} // namespace lamina
