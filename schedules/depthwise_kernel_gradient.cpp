// The gradient of a depthwise kernel: all of the kernel's elements, or some of its rows, of a vector of
// channels are summed over a strip of windows while they stay in registers. Both maps are read as they are.
#include "schedules/nests.hpp"
#include "schedules/window_sweep.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lamina {

namespace {

// Most multiply-adds of a vector that stand in the code, where each edge is a case of its own; the compiler
// takes about a second for as many.
constexpr int most_unrolled = 1000;

// The most lanes of which channels are whole vectors.
int lanes(const Situation& s) {
    int lanes = full_lanes_for(*s.target, s.problem.in.channels);
    while (s.problem.in.channels % lanes != 0)
        lanes /= 2;
    return lanes;
}

int vectors_of_channels(const Situation& s) {
    return s.problem.in.channels / lanes(s);
}

int registers_used(const Situation& s, int vectors, int taps) {
    return vectors * (s.problem.kernel_size.width * taps + 1);
}

// Multiply-adds in the code: unrolled columns and edges, for rows of a strip and each row at an edge.
int unrolled(const Situation& s, int vectors, int taps, int columns) {
    const WindowSweep sweep = window_sweep(s.problem);
    const int inner = sweep.columns.end() - sweep.columns.first();
    const int positions = sweep.columns.edges() + inner % columns + columns;
    return vectors * taps * s.problem.kernel_size.width * positions * (1 + sweep.rows.edges());
}

std::vector<int> vector_choices(const Situation& s) {
    std::vector<int> values;
    for (int v = 1; v <= 4; ++v)
        if (vectors_of_channels(s) % v == 0)
            values.push_back(v);
    return values;
}

std::vector<int> tap_choices(const Situation& s) {
    return divisors(s.problem.kernel_size.height);
}

std::vector<int> column_choices(const Situation& s) {
    const AxisSweep columns = window_sweep(s.problem).columns;
    std::vector<int> values{1};
    for (int c = 2; c <= 8 && c <= columns.end() - columns.first(); ++c)
        values.push_back(c);
    return values;
}

std::vector<int> row_choices(const Situation& s) {
    return even_parts(window_sweep(s.problem).rows.windows);
}

std::vector<int> run_choices(const Situation& s) {
    const AxisSweep columns = window_sweep(s.problem).columns;
    std::vector<int> values{1};
    for (int runs = 2; runs <= 8 && columns.end() - columns.first() >= runs * 2; runs *= 2)
        values.push_back(runs);
    return values;
}

std::vector<int> part_choices(const Situation& s) {
    return gradient_part_choices(window_sweep(s.problem).rows.windows);
}

std::vector<int> share_choices(const Situation& s) {
    return divisors(vectors_of_channels(s));
}

std::string legal(const Situation& s, const Knobs& knobs) {
    const int vectors = knobs.get("vectors", 1), taps = knobs.get("taps", 1),
              columns = knobs.get("columns", 1), rows = knobs.get("rows", 1),
              share = knobs.get("share", vectors_of_channels(s));
    if (!contains(vector_choices(s), vectors))
        return fmt::format("vectors:{}: must be 1 to 4 and divide the {} vectors of {} channels", vectors,
                           vectors_of_channels(s), s.problem.in.channels);
    if (!contains(tap_choices(s), taps))
        return fmt::format("taps:{}: must divide the kernel's {} rows", taps, s.problem.kernel_size.height);
    if (registers_used(s, vectors, taps) > s.target->vector_registers && vectors * taps > 1)
        return fmt::format(
            "taps:{}: {} vectors x {} rows of {} elements need {} vector registers of {} on {}", taps,
            vectors, taps, s.problem.kernel_size.width, registers_used(s, vectors, taps),
            s.target->vector_registers, s.target->name);
    if (!contains(column_choices(s), columns))
        return fmt::format("columns:{}: must be 1 to {}", columns, column_choices(s).back());
    if (const int steps = unrolled(s, vectors, taps, columns); steps > most_unrolled && columns > 1)
        return fmt::format("columns:{}: {} unrolled multiply-adds with the edges, at most {}", columns, steps,
                           most_unrolled);
    if (std::string reason =
            why_not_gradient_parts(window_sweep(s.problem).rows.windows, rows, knobs.get("parts", 1),
                                   4 * kernel_operand(s.problem).elements());
        !reason.empty())
        return reason;
    const AxisSweep sweep = window_sweep(s.problem).columns;
    if (const int runs = knobs.get("runs", 1);
        !contains(run_choices(s), runs) || (runs > 1 && runs * columns * 2 > sweep.end() - sweep.first()))
        return fmt::format(
            "runs:{}: must be a power of two up to 8, each run at least twice the columns:{} of {}", runs,
            columns, sweep.end() - sweep.first());
    if (!contains(share_choices(s), share) || share % vectors != 0)
        return fmt::format(
            "share:{}: must divide the {} vectors of {} channels, and be a multiple of vectors", share,
            vectors_of_channels(s), s.problem.in.channels);
    return "";
}

std::string fits(const Situation& s) {
    const Problem& p = s.problem;
    if (facts(p.op).gradient != Gradient::kernel || !facts(p.op).has_window)
        return fmt::format("it schedules gradients of kernels with a window, not {}", facts(p.op).name);
    if (p.groups != p.in.channels || p.out_channels != p.in.channels)
        return fmt::format("groups={}: it needs one group, one input and one output channel each", p.groups);
    if (std::string reason = why_not_channelwise(s); !reason.empty())
        return reason;
    if (p.padding_mode != PaddingMode::zeros)
        return fmt::format("padding_mode={}: it leaves padding out, which must be zeros",
                           padding_mode_names[static_cast<std::size_t>(p.padding_mode)]);
    if (detail::is_transposed(p.op) && takes_slope(p))
        return "the gradient of the sums, over which the windows run, would be computed for each element";
    if (lanes(s) < 4)
        return fmt::format("in_channels={}: no whole vectors of at least 4", p.in.channels);
    if (unrolled(s, 1, 1, 1) > most_unrolled)
        return fmt::format("{} rows and {} columns of windows meet padding, each a case of its own",
                           window_sweep(p).rows.edges(), window_sweep(p).columns.edges());
    return "";
}

// Registers of a tile whose positions share loads: as above, and the values of the windows' rows, which the
// compiler keeps for the next columns and spills others for. (AVX-512 on a Zen 5: 3x3 on 14x14x576, three
// vectors 0.50 of the peak, two 0.75; on 56x56x144, three vectors of single columns 72 us, one 61 us.)
int registers_live(const Situation& s, int vectors, int taps, int columns) {
    const bool shares = columns > 1 || window_sweep(s.problem).columns.by_map;
    return registers_used(s, vectors, taps) + (shares ? vectors * taps : 0);
}

// Cycles of one position, for all elements of the kernel and a vector of channels: multiply-adds, or the
// latency of few accumulators, or two loads a cycle, of which spilled registers take their part.
double position_cycles(const Situation& s, const Knobs& knobs) {
    const AxisSweep columns = window_sweep(s.problem).columns;
    const int vectors = knobs.get("vectors"), taps = knobs.get("taps"),
              unrolled_columns = knobs.get("columns");
    const double multiply_adds = static_cast<double>(vectors) * taps * columns.kernel;
    const double arithmetic =
        std::max<double>(multiply_adds / s.target->fma_per_cycle, s.target->fma_latency);
    const double shared = 1 + (columns.kernel - 1.0) / unrolled_columns; // loads of the windows' values
    const double spilled =
        std::max(0, registers_live(s, vectors, taps, unrolled_columns) - s.target->vector_registers);
    const double loads =
        vectors * (columns.by_map ? taps + shared : multiply_adds / vectors + 1) / 2 + 2 * spilled;
    const double tiles = static_cast<double>(s.problem.kernel_size.height) / taps / vectors;
    return tiles * (std::max(arithmetic, loads) + 0.1 * loads + 0.5 / unrolled_columns);
}

// Positions of both maps that a run of a strip goes through.
double strip_positions(const Situation& s, const Knobs& knobs) {
    const WindowSweep sweep = window_sweep(s.problem);
    const int reach = std::min(sweep.rows.elements, (knobs.get("rows") - 1) * sweep.rows.stride +
                                                        sweep.rows.kernel * sweep.rows.dilation);
    return (static_cast<double>(knobs.get("rows")) * sweep.columns.windows +
            static_cast<double>(reach) * sweep.columns.elements) /
           knobs.get("runs");
}

// Cycles for what comes from beyond the L1 cache: a strip with the rows that it shares with the next, and
// once more at eight bytes a cycle for every further pass over its cache lines that they do not outlast, with
// a vector of their other half, or with other rows of the kernel. (3x3 on 112x112x32, Zen 3: 39 GFLOP/s in
// whole rows, 70 in eighths of them.) Lines that lie apart are not fetched ahead from beyond the L2 cache.
// (3x3 by strides of two on 112x112x96, Zen 5: 107 us by two vectors of AVX-512, 92 us by three.)
double memory_cycles(const Situation& s, const Knobs& knobs) {
    const WindowSweep sweep = window_sweep(s.problem);
    const double strips = 1.0 * ceil_div(sweep.rows.windows, knobs.get("rows")) * knobs.get("runs");
    const double bytes = strips * strip_positions(s, knobs) * s.problem.in.channels * 4;
    const int run = std::max(line_bytes, knobs.get("vectors") * lanes(s) * 4);
    const double passes = static_cast<double>(run) / (knobs.get("vectors") * lanes(s) * 4) *
                          s.problem.kernel_size.height / knobs.get("taps");
    const bool stays = strip_positions(s, knobs) * run <= s.target->l1_bytes * 0.4;
    const bool is_apart = bytes > s.target->l2_bytes && run < s.problem.in.channels * 4;
    const double waiting = is_apart ? 0.5 * line_bytes / run : 0;
    return bytes / 32 * (1 + waiting) + (stays ? 0 : (passes - 1) * bytes / 8);
}

// Cycles of an image: its positions, with those at edges twice for the loops that they are apart from; about
// eight to begin and end the loop over a run's columns; accumulators loaded and stored once per strip; and
// the memory's.
double cost(const Situation& s, const Knobs& knobs) {
    const WindowSweep sweep = window_sweep(s.problem);
    const double strips = 1.0 * ceil_div(sweep.rows.windows, knobs.get("rows")) * knobs.get("runs");
    const int inner = sweep.columns.end() - sweep.columns.first();
    const double positions =
        static_cast<double>(sweep.columns.positions() + sweep.columns.edges() + inner % knobs.get("columns"));
    const double kernel = static_cast<double>(kernel_operand(s.problem).elements()) / lanes(s);
    return positions * sweep.rows.windows * vectors_of_channels(s) * position_cycles(s, knobs) +
           sweep.rows.windows * knobs.get("runs") * kernel / s.problem.kernel_size.width / knobs.get("taps") *
               8 +
           strips * kernel * 3 + (knobs.get("parts") > 1 ? knobs.get("parts") * kernel : 0) +
           memory_cycles(s, knobs);
}

// Whole cache lines, in at least two tasks where there are channels for them; with parts of the rows, which
// are tasks already, all channels.
int default_share(const Situation& s, int vectors, int parts) {
    if (parts > 1)
        return vectors_of_channels(s);
    const int line = std::max(1, line_floats / lanes(s));
    int best = 0;
    for (int share : share_choices(s)) {
        const bool is_least = share % line == 0 && best % line != 0;
        const bool has_tasks = share % line == 0 && share * 2 <= vectors_of_channels(s);
        if (share % vectors == 0 && (best == 0 || is_least || has_tasks))
            best = share;
    }
    return best;
}

// Parts of the rows are tasks where the maps come from beyond the L2 cache, in which channels that lie apart
// wait longer, or a channel's tasks are few.
std::vector<int> parts_for(const Situation& s) {
    const Problem& p = s.problem;
    const double multiply_adds = static_cast<double>(operation_count(p)) / 2;
    if (4 * (image_elements(p.in) + image_elements(output_shape(p))) <= 2.0 * s.target->l2_bytes &&
        4 * p.in.channels >= 4 * line_bytes)
        return {1};
    return gradient_parts_for(*s.target, window_sweep(p).rows.windows,
                              multiply_adds / lanes(s) / s.target->fma_per_cycle,
                              4 * kernel_operand(p).elements());
}

double unevenness(const Situation& s, const Knobs& knobs) {
    if (knobs.get("parts") == 1)
        return 1;
    return gradient_part_unevenness(window_sweep(s.problem).rows.windows, knobs.get("rows"),
                                    knobs.get("parts"));
}

Knobs defaults(const Situation& s, const Knobs& given) {
    Knobs best;
    double least = 1e300;
    const auto consider = [&](const Knobs& knobs) {
        const bool is_legal = legal(s, knobs).empty();
        if (!is_legal && !best.values().empty())
            return;
        if (const double cycles = is_legal ? cost(s, knobs) * unevenness(s, knobs) : 1e299; cycles < least) {
            least = cycles;
            best = knobs;
        }
    };
    for (int vectors : open_choices(given, "vectors", vector_choices(s)))
        for (int taps : open_choices(given, "taps", tap_choices(s)))
            for (int columns : open_choices(given, "columns", column_choices(s)))
                for (int rows : open_choices(given, "rows", row_choices(s)))
                    for (int runs : open_choices(given, "runs", run_choices(s)))
                        for (int parts : open_choices(given, "parts", parts_for(s)))
                            consider({{"vectors", vectors},
                                      {"taps", taps},
                                      {"columns", columns},
                                      {"rows", rows},
                                      {"runs", runs},
                                      {"parts", parts},
                                      {"share", given.get("share", default_share(s, vectors, parts))}});
    return best;
}

AlgorithmRequest request(const Situation&, const Knobs& knobs) {
    return {.window = {.rows = knobs.get("rows"),
                       .columns = knobs.get("columns"),
                       .runs = knobs.get("runs"),
                       .parts = knobs.get("parts")}};
}

void apply_region(Stages& a, const Situation& s, int number) {
    const SweepRegion& region = a.regions[static_cast<std::size_t>(number)];
    const Halide::RVar x = region.positions[0], group = region.positions[1], y = region.positions[2];
    Halide::Stage update = a.sum.update(number);
    update.reorder(a.d, a.c, a.x, a.y, x, group, y).unroll(x);
    if (region.is_row_edge)
        update.unroll(y);
    update.vectorize(a.d, lanes(s)).unroll(a.d).unroll(a.c).unroll(a.x).unroll(a.y);
}

void apply(Stages& a, const Situation& s, const Knobs& knobs) {
    const Size kernel = s.problem.kernel_size;
    const int block = knobs.get("vectors") * lanes(s), share = knobs.get("share") * lanes(s);
    const bool has_strips = a.strips.defined(), has_parts = a.parts.defined();
    Halide::Var task("task"), of_task("of_task"), outer("do"), inner("di"), yo("yo"), yi("yi");
    for (Halide::Func* each : {&a.output, &a.parts})
        if (each->defined())
            each->bound(a.d, 0, s.problem.in.channels)
                .bound(a.c, 0, 1)
                .bound(a.x, 0, kernel.width)
                .bound(a.y, 0, kernel.height);
    Halide::Func& gradient = has_parts ? a.parts : a.output;
    if (has_strips)
        a.output.vectorize(a.d, lanes(s), Halide::TailStrategy::RoundUp);
    if (has_parts)
        a.parts.compute_root().vectorize(a.d, lanes(s), Halide::TailStrategy::RoundUp);
    Halide::Stage tiles = has_strips ? Halide::Stage(gradient.update()) : Halide::Stage(gradient);
    tiles.split(a.d, task, of_task, share)
        .split(of_task, outer, inner, block)
        .split(a.y, yo, yi, knobs.get("taps"));
    std::vector<Halide::VarOrRVar> order{inner, a.c, a.x, yi, yo, outer};
    if (has_strips)
        order.insert(order.end(), {a.strips[0], a.strips[1], a.strips[2]});
    order.emplace_back(task);
    if (has_parts)
        order.emplace_back(a.parts.args().back());
    tiles.reorder(order).vectorize(inner, lanes(s)).unroll(inner).unroll(a.c).unroll(a.x).unroll(yi);
    if (has_parts)
        tiles.fuse(task, a.parts.args().back(), task);
    tiles.parallel(task);
    a.sum.compute_at(gradient, yo).store_in(Halide::MemoryType::Stack);
    a.sum.bound_extent(a.c, 1).bound_extent(a.y, knobs.get("taps"));
    a.sum.vectorize(a.d, lanes(s)).unroll(a.d).unroll(a.c).unroll(a.x).unroll(a.y);
    for (int number = 0; number < static_cast<int>(a.regions.size()); ++number)
        apply_region(a, s, number);
}

} // namespace

const Family depthwise_kernel_gradient_family = {
    .name = "depthwise_kernel_gradient",
    .meaning = "gradient of a depthwise kernel, all elements at once, from maps as they are",
    .knobs = {{"vectors", "vectors of channels that are summed together", vector_choices},
              {"taps", "rows of the kernel that are summed together", tap_choices},
              {"columns", "unrolled columns", column_choices},
              {"rows", "rows of windows that are summed while the sums stay in registers", row_choices},
              {"runs", "runs of columns, summed one after the other", run_choices},
              {"parts", "parts of the rows, summed apart, each a task or more", part_choices},
              {"share", "vectors of channels of one task", share_choices}},
    .legal = legal,
    .defaults = defaults,
    .fits = fits,
    .request = request,
    .apply = apply,
    .cost = cost,
};

} // namespace lamina
