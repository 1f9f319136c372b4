// A direct convolution and the pool behind it: for each block of output channels, the rows of the convolution
// that the next rows of the pooled map ask for are summed by the register tile of the family direct, stored
// where the cache holds them, in a ring, and pooled from there.
#include "schedules/nests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace lamina {

namespace {

// What so many rows of the pooled map add to the rows of the convolution that are stored, as the output of a
// convolution of its own.
Situation sums_of(const Situation& s, int rows) {
    Problem p = as_convolution(s.problem);
    const Padding padding = resolved_padding(p);
    const int sums = std::min(rows * s.problem.pool_stride.height, output_shape(p).height);
    p.in.height = padded_reach(p, {sums, 1}).height;
    p.padding = {0, 0, padding.left, padding.right};
    p.in.batch = 1; // strips are parts of an image
    return {p, s.target, s.is_packed_in_calls};
}

int lanes(const Situation& s) {
    return lanes_for(*s.target, s.problem.out_channels / s.problem.groups);
}

std::string fits(const Situation& s) {
    const Problem& p = s.problem;
    if (p.op != Operator::pooled_cross_correlation)
        return fmt::format("it schedules pooled_cross_correlation, not {}", facts(p.op).name);
    if (s.target->is_gpu)
        return fmt::format("target {} has no CPU vectors", s.target->name);
    if (p.pool_stride.height > p.pool_kernel_size.height)
        return fmt::format("pool_stride={}x{}: no window looks at the rows between them",
                           p.pool_stride.height, p.pool_stride.width);
    if (std::string reason = direct_family.fits(sums_of(s, 1)); !reason.empty())
        return reason;
    if (p.out_channels % lanes(s) != 0)
        return fmt::format("out_channels={}: must be a multiple of the vector's {} lanes", p.out_channels,
                           lanes(s));
    return "";
}

// The knobs that it shares with direct have the same values there.
std::vector<int> direct_choices(const Situation& s, std::string_view name, int rows) {
    const auto knob = std::ranges::find(direct_family.knobs, name, &Knob::name);
    return knob->values(sums_of(s, rows));
}
std::vector<int> vector_choices(const Situation& s) {
    const int height = output_shape(s.problem).height;
    std::vector<int> values;
    for (int vectors : direct_choices(s, "vectors", height))
        if (s.problem.out_channels % (vectors * lanes(s)) == 0)
            values.push_back(vectors);
    return values;
}
// A step adds one row at least, up to the last column that a window looks at, and a tile must not be longer.
int most_positions(const Situation& s) {
    const detail::Axis columns = detail::pool_columns(s.problem);
    const auto behind =
        (output_shape(s.problem).width - 1) * columns.stride + columns.extent() - columns.begin;
    return static_cast<int>(std::min(behind, columns.size));
}
std::vector<int> position_choices(const Situation& s) {
    std::vector<int> values;
    for (int positions : direct_choices(s, "positions", output_shape(s.problem).height))
        if (positions <= most_positions(s))
            values.push_back(positions);
    return values;
}
std::vector<int> chunk_choices(const Situation& s) {
    return direct_choices(s, "chunk", 1);
}
std::vector<int> unroll_choices(const Situation& s) {
    return direct_choices(s, "unroll", 1);
}

// Rows of the convolution that so many rows of the pooled map look at.
int rows_under(const Situation& s, int rows) {
    return (rows - 1) * s.problem.pool_stride.height + s.problem.pool_kernel_size.height;
}

// Whether the last window reaches beyond the convolution's last row.
bool ends_in_padding(const Situation& s) {
    const detail::Axis rows = detail::pool_rows(s.problem);
    return (output_shape(s.problem).height - 1) * rows.stride + rows.extent() - rows.begin > rows.size;
}

// Positions of the ring: a power of two, so that indices into it are cheap. Halide folds rows of a single
// step into that as well, or knows no bound of them; and where the last step may add no row at all, it takes
// the position behind the map for one that is read.
int ring_positions(const Situation& s, int rows) {
    const int width = output_shape(as_convolution(s.problem)).width;
    const int positions = rows_under(s, rows) * width + (ends_in_padding(s) ? 1 : 0);
    return static_cast<int>(std::bit_ceil(static_cast<unsigned>(positions)));
}

// Whether the convolution looks at a copy of its input.
bool is_input_stored(const Problem& p) {
    const Padding padding = resolved_padding(p);
    return p.layout == Layout::nchw || padding.top + padding.bottom + padding.left + padding.right > 0;
}

double input_bytes(const Situation& s, int strip) {
    return padded_bytes(as_convolution(s.problem), rows_under(s, strip));
}

double scratch_bytes(const Situation& s, int strip, int rows, int block) {
    return 4.0 * ring_positions(s, rows) * block +
           (is_input_stored(as_convolution(s.problem)) ? input_bytes(s, strip) : 0);
}

double most_scratch(const Situation& s) {
    return most_scratch_bytes(
        static_cast<double>(elements(s.problem.in) + elements(output_shape(s.problem))));
}

std::vector<int> strip_choices(const Situation& s) {
    std::vector<int> values;
    for (int strip : divisors(output_shape(s.problem).height))
        if (strip == 1 || scratch_bytes(s, strip, 1, lanes(s)) <= most_scratch(s))
            values.push_back(strip);
    return values;
}

std::vector<int> row_choices(const Situation& s) {
    return divisors(output_shape(s.problem).height);
}

// The knobs as direct knows them.
Knobs for_direct(const Knobs& knobs) {
    Knobs some;
    for (const char* name : {"vectors", "positions", "chunk", "unroll"})
        if (knobs.has(name))
            some.set(name, knobs.get(name));
    return some;
}

std::string legal(const Situation& s, const Knobs& knobs) {
    const int strip = knobs.get("strip", 1), rows = knobs.get("rows", 1), vectors = knobs.get("vectors", 1);
    if (!contains(divisors(output_shape(s.problem).height), strip))
        return fmt::format("strip:{}: must divide the output's {} rows", strip,
                           output_shape(s.problem).height);
    if (rows < 1 || strip % rows != 0)
        return fmt::format("rows:{}: must divide the strip's {} rows", rows, strip);
    if (std::string reason = direct_family.legal(sums_of(s, rows), for_direct(knobs)); !reason.empty())
        return reason;
    if (!contains(vector_choices(s), vectors))
        return fmt::format("vectors:{}: {} lanes each must divide {} output channels", vectors, lanes(s),
                           s.problem.out_channels);
    if (knobs.get("positions", 1) > most_positions(s))
        return fmt::format("positions:{}: more than the {} columns that are pooled: a step may add one row",
                           knobs.get("positions", 1), most_positions(s));
    const double bytes = scratch_bytes(s, strip, rows, vectors * lanes(s));
    if (strip > 1 && bytes > most_scratch(s))
        return fmt::format("strip:{}: with rows:{} it takes {:.0f} KiB, more than {:.0f}", strip, rows,
                           bytes / 1024, most_scratch(s) / 1024);
    return "";
}

// The register tile that direct would sum a step by, or the nearest to it.
Knobs default_tile(const Situation& s, const Knobs& given, int rows) {
    const Situation step = sums_of(s, rows);
    Knobs knobs = for_direct(given), best = for_direct(direct_family.defaults(step, knobs));
    const bool is_whole = contains(vector_choices(s), best.get("vectors"));
    const bool is_short = best.get("positions") <= most_positions(s);
    if (!is_whole && !given.has("vectors"))
        knobs.set("vectors", vector_choices(s).back());
    if (!is_short && !given.has("positions"))
        knobs.set("positions", position_choices(s).back());
    return is_whole && is_short ? best : for_direct(direct_family.defaults(step, knobs));
}

// Cycles of an image but for what comes from beyond the L2 cache: each step's sums, where strips sum the rows
// that their first windows share with the one before once more.
double sum_cycles(const Situation& s, const Knobs& direct, int strip, int rows) {
    const Situation step = sums_of(s, rows);
    const Knobs knobs = direct_family.defaults(step, direct);
    const int strips = output_shape(s.problem).height / strip;
    const double again = (strips - 1) * std::max(rows_under(s, 1) - s.problem.pool_stride.height, 0);
    const double sums = output_shape(as_convolution(s.problem)).height + again;
    return direct_family.cost(step, knobs) * sums / output_shape(step.problem).height;
}

// A strip's input is read for each block of output channels, from beyond the L2 cache where it does not stay
// there; a core gets about eight bytes a cycle. Where the L1 cache holds the rows under a window, each is
// fetched once for a block, in order, which the core does ahead by itself. Measured on a Zen 3: 7x7 of stride
// 2 over 3 channels of 224x224, 0.91 of the peak from one strip, 0.89 from two that stay in the L2 cache.
double far_cycles(const Situation& s, int strip, int block) {
    const double blocks = ceil_div(s.problem.out_channels, block), input = input_bytes(s, strip);
    const int strips = output_shape(s.problem).height / strip;
    const bool is_near = input <= s.target->l2_bytes * 0.75 ||
                         padded_bytes(as_convolution(s.problem), 1) <= s.target->l1_bytes;
    return strips * input * (is_near ? 1 : blocks + 2) / 8;
}

double cost(const Situation& s, const Knobs& knobs) {
    const int strip = knobs.get("strip");
    return sum_cycles(s, for_direct(knobs), strip, knobs.get("rows")) +
           far_cycles(s, strip, knobs.get("vectors") * lanes(s));
}

// The ring shall leave most of the L2 cache to the input.
bool is_small_ring(const Situation& s, int rows, int block) {
    return rows == 1 || 4.0 * ring_positions(s, rows) * block <= s.target->l2_bytes / 4.0;
}

Knobs defaults(const Situation& s, const Knobs& given) {
    const int height = output_shape(s.problem).height;
    Knobs best;
    double least = 1e300;
    for (int strip : open_choices(given, "strip", strip_choices(s)))
        for (int rows : open_choices(given, "rows", row_choices(s))) {
            if (strip < 1 || strip > height || rows < 1 || rows > strip || strip % rows != 0)
                continue;
            const Knobs tile = default_tile(s, given, rows);
            const int block = tile.get("vectors") * lanes(s);
            const int tasks = ceil_div(height, strip) * ceil_div(s.problem.out_channels, block);
            const double cycles =
                (sum_cycles(s, tile, strip, rows) + far_cycles(s, strip, block)) * worth_of_tasks(tasks);
            if (cycles >= least || !is_small_ring(s, rows, block) ||
                (strip > 1 && scratch_bytes(s, strip, rows, block) > most_scratch(s)))
                continue;
            least = cycles;
            best = tile;
            best.set("strip", strip);
            best.set("rows", rows);
        }
    if (least < 1e300)
        return best;
    best = default_tile(s, given, 1);
    best.set("strip", given.get("strip", 1));
    best.set("rows", given.get("rows", 1));
    return best;
}

AlgorithmRequest request(const Situation& s, const Knobs& knobs) {
    return {.kernel_block = knobs.get("vectors") * lanes(s),
            .kernel_chunk = knobs.get("chunk"),
            .is_linear = true};
}

// The largest value of each window, for a vector or several of channels.
void schedule_maximum(Stages& a, const Situation& s, const Halide::Var& level) {
    const Size window = s.problem.pool_kernel_size;
    Halide::Func& maximum = a.pool.maximum;
    maximum.compute_at(a.output, level).store_in(Halide::MemoryType::Stack);
    maximum.vectorize(a.c, lanes(s)).unroll(a.c);
    Halide::Stage taps = maximum.update();
    taps.reorder(a.c, a.pool.window[0], a.pool.window[1]).vectorize(a.c, lanes(s)).unroll(a.c);
    if (window.height * window.width <= most_unrolled_taps)
        taps.unroll(a.pool.window[0]).unroll(a.pool.window[1]);
}

void apply(Stages& a, const Situation& s, const Knobs& knobs) {
    const Shape out = output_shape(s.problem);
    const int strip = knobs.get("strip"), rows = knobs.get("rows"), block = knobs.get("vectors") * lanes(s);
    Halide::Var strips("strips"), within("within"), step("step"), row("row"), co("co"), ci("ci"),
        lane("lane"), tile("tile"), pi("pi"), task("task");
    a.output.bound(a.c, 0, out.channels).bound(a.x, 0, out.width).bound(a.y, 0, out.height);
    a.output.split(a.y, strips, within, strip)
        .split(within, step, row, rows)
        .split(a.c, co, ci, block)
        .split(ci, ci, lane, lanes(s))
        .reorder(lane, ci, a.x, row, step, co, strips, a.n)
        .vectorize(lane)
        .unroll(ci)
        .never_partition_all();
    schedule_maximum(a, s, a.x);
    Halide::Func& map = a.pool.map;
    if (rows == strip) // nothing that fold_storage could fold
        map.bound_storage(a.p, ring_positions(s, rows));
    else
        map.fold_storage(a.p, ring_positions(s, rows));
    map.store_at(a.output, co)
        .compute_at(a.output, step)
        .split(a.p, tile, pi, knobs.get("positions"), Halide::TailStrategy::ShiftInwards)
        .split(a.c, ci, lane, lanes(s))
        .reorder(lane, ci, pi, tile)
        .vectorize(lane)
        .unroll(ci)
        .unroll(pi);
    schedule_register_tile(a, Halide::LoopLevel(map, tile), lanes(s), knobs.get("chunk"),
                           knobs.get("unroll"));
    if (a.padded.defined()) {
        const Problem sums = as_convolution(s.problem);
        const Shape map = output_shape(sums);
        const int under = strip == out.height ? map.height : std::min(rows_under(s, strip), map.height);
        const Size reach = padded_reach(sums, {under, map.width});
        a.padded.bound_extent(a.x, reach.width).bound_extent(a.y, reach.height);
    }
    if (strip < out.height) {
        a.output.fuse(strips, a.n, task).parallel(task);
        store_padded(a, s, task);
    } else {
        a.output.parallel(co);
        store_padded(a, s, a.n);
    }
}

} // namespace

const Family pooled_family = {
    .name = "pooled",
    .meaning = "convolution whose pooled rows stay in the cache",
    .knobs = {{"vectors", "vectors of output channels in the register tile", vector_choices},
              {"positions", "positions of the convolution in the register tile", position_choices},
              {"chunk", "input channels that are summed over the whole window before the next ones",
               chunk_choices},
              {"unroll", "input channels per turn of the innermost loop", unroll_choices},
              {"strip", "output rows whose padded input is stored together", strip_choices},
              {"rows", "output rows that are pooled before the sums of the next ones", row_choices}},
    .legal = legal,
    .defaults = defaults,
    .fits = fits,
    .request = request,
    .apply = apply,
    .cost = cost,
};

} // namespace lamina
