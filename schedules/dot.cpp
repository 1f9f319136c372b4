// Convolution to fewer channels than fill vectors: vectors run along the summed channels instead. A register
// tile of output channels and columns sums each lane by itself over the whole window, and the lanes are added
// up at its end, all sums at once. The input is read as it is, or its padding is stored with it strip by
// strip. A transposed convolution with a stride is summed phase by phase of it.
#include "schedules/nests.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lamina {

namespace {

struct Geometry {
    Problem problem;
    Shape out;
    bool has_phases;
    Size phase;    // rows and columns of the output's first phase, which has the most; of the output
                   // itself without phases
    double window; // kernel elements per channel, of a mean phase
    int group_in, group_out; // channels of one group
    int lanes;               // of the longest vectors that fill a group's summed channels
};

Geometry geometry(const Situation& s) {
    const Problem p = as_convolution(s.problem);
    const Shape out = output_shape(p);
    const bool has_phases = p.op == Operator::transposed_convolution && p.stride != Size(1);
    const Size phases = has_phases ? p.stride : Size(1);
    const int group_in = p.in.channels / p.groups;
    int lanes = s.target->lanes();
    while (group_in % lanes != 0)
        lanes /= 2;
    return {p,
            out,
            has_phases,
            {ceil_div(out.height, phases.height), ceil_div(out.width, phases.width)},
            1.0 * p.kernel_size.height * p.kernel_size.width / phases.height / phases.width,
            group_in,
            p.out_channels / p.groups,
            lanes};
}

// Of the padded input under so many rows of the output, or of a phase.
double stored_bytes(const Geometry& g, int strip) {
    return g.has_phases ? phase_bytes(g.problem, g.phase.width, strip) : padded_bytes(g.problem, strip);
}

// Of a tile: the accumulators, the fewer of one step's kernel and input vectors, and one of the others.
std::int64_t registers_used(std::int64_t channels, std::int64_t positions, std::int64_t vectors) {
    return channels * positions * vectors + std::min(channels, positions) + 1;
}

std::string fits(const Situation& s) {
    const Problem& p = s.problem;
    if (std::string reason = why_not_one_cpu_sum(s); !reason.empty())
        return reason;
    const Geometry g = geometry(s);
    if (g.has_phases && (p.layout != Layout::nhwc || p.preactivation))
        return "phases of a transposed convolution's stride: only nhwc, and the output alone";
    if (g.lanes < 4)
        return fmt::format("a group's {} summed channels are no multiple of 4, and fill no vectors",
                           g.group_in);
    if (registers_used(g.group_out, 1, 1) > s.target->vector_registers)
        return fmt::format("a group's {} channels to compute: their sums must fit into the {} vector "
                           "registers of {}",
                           g.group_out, s.target->vector_registers, s.target->name);
    return "";
}

std::vector<int> position_choices(const Situation& s) {
    const Geometry g = geometry(s);
    std::vector<int> values;
    for (int p = 1; p <= g.phase.width && registers_used(g.group_out, p, 1) <= s.target->vector_registers;
         ++p)
        if (g.has_phases || why_computed_twice(s, "positions", p, g.out.width).empty())
            values.push_back(p);
    return values;
}

std::vector<int> vector_choices(const Situation& s) {
    const Geometry g = geometry(s);
    std::vector<int> values;
    for (int v = 1; v <= 8 && registers_used(g.group_out, 1, v) <= s.target->vector_registers; v *= 2)
        if (g.group_in % (v * g.lanes) == 0)
            values.push_back(v);
    return values;
}

std::vector<int> strip_choices(const Situation& s) {
    return divisors(geometry(s).phase.height);
}

// Vectors of the input must be contiguous where they are read.
std::vector<int> stored_choices(const Situation& s) {
    const Geometry g = geometry(s);
    const bool may_be_read =
        g.problem.padding_mode == PaddingMode::zeros && g.problem.layout == Layout::nhwc && !g.has_phases;
    return may_be_read ? std::vector{0, 1} : std::vector{1};
}

std::vector<int> unroll_choices(const Situation& s) {
    const Geometry g = geometry(s);
    return unrolls_of(g.group_in / g.lanes);
}

int phase_count(const Geometry& g) {
    return g.has_phases ? g.problem.stride.height * g.problem.stride.width : 1;
}

// What the stored inputs of a strip in all phases may take at most.
double most_stored_bytes(const Geometry& g) {
    return most_scratch_bytes(image_elements(g.problem.in) + image_elements(g.out));
}

std::string why_no_tile(const Situation& s, int positions, int vectors) {
    const Geometry g = geometry(s);
    if (positions < 1 || positions > g.phase.width)
        return fmt::format("positions:{}: must be 1 to {}, the columns of the output or of a phase",
                           positions, g.phase.width);
    if (!g.has_phases)
        if (std::string reason = why_computed_twice(s, "positions", positions, g.out.width); !reason.empty())
            return reason;
    if (!contains(vector_choices(s), vectors))
        return fmt::format("vectors:{}: must be a power of two up to 8, of whose {} lanes each whole ones "
                           "make up the group's {} summed channels and {} sums fit into the {} vector "
                           "registers of {}",
                           vectors, g.lanes, g.group_in, g.group_out, s.target->vector_registers,
                           s.target->name);
    if (const std::int64_t used = registers_used(g.group_out, positions, vectors);
        used > s.target->vector_registers)
        return fmt::format(
            "positions:{}: {} channels x {} positions x {} vectors need {} vector registers of {} on {}",
            positions, g.group_out, positions, vectors, used, s.target->vector_registers, s.target->name);
    return "";
}

std::string legal(const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const int vectors = knobs.get("vectors", 1), strip = knobs.get("strip", 1),
              stored = knobs.get("stored", 1), unroll = knobs.get("unroll", 1);
    if (std::string reason = why_no_tile(s, knobs.get("positions", 1), vectors); !reason.empty())
        return reason;
    if (!contains(strip_choices(s), strip))
        return fmt::format("strip:{}: must divide the {} rows of the output or of a phase", strip,
                           g.phase.height);
    if (!contains(unroll_choices(s), unroll) || g.group_in / g.lanes / vectors % unroll != 0)
        return fmt::format(
            "unroll:{}: must be at most 8, and so many times {} vectors of {} lanes divide the "
            "group's {} summed channels",
            unroll, vectors, g.lanes, g.group_in);
    if (!contains(stored_choices(s), stored))
        return fmt::format("stored:{}: must be 0 or 1, and 1 where padding is not zeros, with layout=nchw "
                           "and for phases of a stride",
                           stored);
    if (const double bytes = phase_count(g) * stored_bytes(g, strip);
        stored != 0 && strip > 1 && bytes > most_stored_bytes(g))
        return fmt::format("strip:{}: its padded input takes {:.0f} KiB, more than {:.0f}", strip,
                           bytes / 1024, most_stored_bytes(g) / 1024);
    return "";
}

// Cycles of a tile: one or two multiply-adds a cycle, but no sum before its last one is done; 1.15 loads of
// full vectors a cycle, measured on a Zen 3. The sums of lanes at the end take about as long as three
// multiply-adds of theirs.
double tile_cycles(const Situation& s, int positions, int vectors) {
    const Geometry g = geometry(s);
    const double multiply_adds = static_cast<double>(g.group_out) * positions * vectors;
    const double steps = g.window * g.group_in / g.lanes / vectors;
    const double loads = vectors * static_cast<double>(g.group_out + positions) / 1.15;
    const double arithmetic =
        std::max<double>(multiply_adds / s.target->fma_per_cycle, s.target->fma_latency + 1);
    return steps * (std::max(arithmetic, loads) + 0.1 * loads) + 1.5 * multiply_adds + 8;
}

// Tiles of a row that meet padding where the input is read as it is: their vectors are masked.
int masked_tiles(const Geometry& g, int positions) {
    const detail::Axis columns = detail::columns(g.problem);
    const int tiles = ceil_div(g.phase.width, positions);
    const auto reach = [&](std::int64_t padding) {
        return static_cast<int>((padding + columns.stride - 1) / columns.stride);
    };
    return std::min(tiles,
                    ceil_div(reach(columns.begin), positions) + ceil_div(reach(columns.end), positions));
}

// What is stored comes at about four bytes a cycle, what is read as it is at sixteen. Measured on a Zen 3:
// 12.8 MB under 3x3 64->3, 0.56 of the peak stored, 0.80 as they are.
double cost(const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const int positions = knobs.get("positions");
    const bool is_stored = knobs.get("stored") != 0;
    const double row =
        ceil_div(g.phase.width, positions) + (is_stored ? 0 : 0.2 * masked_tiles(g, positions));
    const double tiles = row * phase_count(g) * g.phase.height * g.problem.groups;
    const double turns = g.window * g.group_in / g.lanes / knobs.get("vectors") / knobs.get("unroll");
    return tiles * (tile_cycles(s, positions, knobs.get("vectors")) + 0.2 * turns) +
           phase_count(g) * stored_bytes(g, g.phase.height) / (is_stored ? 4 : 16);
}

// At least four tasks where there are enough rows, and where a strip is stored, one that leaves half of the
// L2 cache.
int default_strip(const Situation& s, bool is_stored) {
    const Geometry g = geometry(s);
    int best = 1;
    for (const int strip : strip_choices(s)) {
        const bool has_tasks = strip * 4 <= g.phase.height || g.phase.height <= 8;
        const double bytes = is_stored ? stored_bytes(g, strip) : 0;
        if (has_tasks && bytes <= s.target->l2_bytes / 2.0 && phase_count(g) * bytes <= most_stored_bytes(g))
            best = strip;
    }
    return best;
}

Knobs defaults(const Situation& s, const Knobs& given) {
    const Geometry g = geometry(s);
    Knobs best{
        {"positions", 1}, {"vectors", 1}, {"strip", 1}, {"unroll", 1}, {"stored", stored_choices(s).back()}};
    Knobs knobs = best;
    double least = 1e300;
    for (const int stored : open_choices(given, "stored", stored_choices(s)))
        for (const int vectors : open_choices(given, "vectors", vector_choices(s)))
            for (const int positions : open_choices(given, "positions", position_choices(s))) {
                if (registers_used(g.group_out, positions, vectors) > s.target->vector_registers)
                    continue;
                knobs.set("positions", positions);
                knobs.set("vectors", vectors);
                knobs.set("stored", stored);
                if (const double cycles = cost(s, knobs); cycles < least) {
                    least = cycles;
                    best = knobs;
                }
            }
    best.set("strip", default_strip(s, best.get("stored") != 0));
    return best;
}

// Whether it expects to take less time than what would be chosen otherwise. What Winograd's reckons for so
// few channels is too little, since they share the input's transforms. Measured on a Zen 3, 3x3 64->4 on
// 56x56: 1.7 times as long.
bool is_preferred(const Situation& s) {
    const double cycles = cost(s, defaults(s, {}));
    const auto reckons_more = [&](const Family& other, double times) {
        return !why_unfit(other, s).empty() || cycles < times * other.cost(s, other.defaults(s, {}));
    };
    return reckons_more(phases_family, 1) && reckons_more(direct_family, 1) &&
           reckons_more(winograd_family, 1.5);
}

AlgorithmRequest request(const Situation& s, const Knobs& knobs) {
    return {
        .kernel_block = 1, .has_phases = geometry(s).has_phases, .skips_padding = knobs.get("stored") == 0};
}

// A tile's sums, those of each lane, and the window that they go over.
struct Sums {
    Halide::Func total, lanes;
    Halide::RDom window;
};

// Each lane is summed by itself. A step's vectors of the fewer of channels and columns are loaded before the
// others are gone through, so that they stay in registers.
void sum_lanes(const Stages& a, const Situation& s, Sums& sums, const Halide::Var& lane,
               const Halide::RVar& step, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const bool has_fewer_channels = g.group_out <= knobs.get("positions");
    const Halide::Var &inner = has_fewer_channels ? a.c : a.x, &outer = has_fewer_channels ? a.x : a.c;
    const Halide::Var vector("vector");
    sums.lanes.store_in(Halide::MemoryType::Stack)
        .split(lane, vector, lane, g.lanes)
        .reorder(lane, vector, a.c, a.x)
        .vectorize(lane)
        .unroll(vector)
        .unroll(a.c)
        .unroll(a.x);
    sums.lanes.update()
        .split(lane, vector, lane, g.lanes)
        .reorder(lane, inner, outer, vector, step, sums.window[1], sums.window[2])
        .vectorize(lane)
        .unroll(inner)
        .unroll(outer)
        .unroll(vector)
        .unroll(step, knobs.get("unroll"));
}

// Sums a tile for each turn of the loop at `level`, with its values in the order of the output's memory, so
// that all of them are added up and stored as one vector.
void sum_tile(const Stages& a, const Situation& s, const Halide::LoopLevel& level, Halide::Func total,
              const Halide::RDom& window, const Knobs& knobs) {
    const bool is_nhwc = s.problem.layout == Layout::nhwc;
    const Halide::Var &first = is_nhwc ? a.c : a.x, &second = is_nhwc ? a.x : a.c;
    const Halide::Var all("all"), lane("lane");
    const Halide::RVar step("step"), term("term");
    Sums sums{total, {}, window};
    sums.lanes = total.update()
                     .split(window[0], step, term, geometry(s).lanes * knobs.get("vectors"))
                     .rfactor(term, lane);
    sums.lanes.compute_at(level).reorder_storage(lane, first, second, a.y, a.n);
    sum_lanes(a, s, sums, lane, step, knobs);
    total.compute_at(level)
        .store_in(Halide::MemoryType::Stack)
        .reorder_storage(first, second, a.y, a.n)
        .bound_extent(a.x, knobs.get("positions"))
        .fuse(first, second, all)
        .vectorize(all);
    total.update()
        .atomic()
        .reorder(term, first, second)
        .fuse(first, second, all)
        .vectorize(term)
        .vectorize(all);
}

void apply_phase(Stages& a, const Situation& s, const Knobs& knobs, int number) {
    const Geometry g = geometry(s);
    StridePhase& phase = a.phases[static_cast<std::size_t>(number)];
    const Halide::Var group("group"), ci("ci");
    const Halide::RVar tile("tile"), within("within"), strip("strip"), row("row");
    Halide::Stage stage = a.output.update(number);
    // No two positions are the same.
    stage.allow_race_conditions()
        .split(phase.positions[0], tile, within, knobs.get("positions"), Halide::TailStrategy::GuardWithIf)
        .split(phase.positions[1], strip, row, knobs.get("strip"), Halide::TailStrategy::GuardWithIf)
        .split(a.c, group, ci, g.group_out)
        .reorder(ci, within, tile, group, row, strip, a.n)
        .vectorize(ci)
        .unroll(within)
        .parallel(strip);
    if (!phase.sum.defined())
        return;
    sum_tile(a, s, Halide::LoopLevel(a.output, tile), phase.sum, phase.window, knobs);
    phase.padded.compute_at(a.output, strip)
        .vectorize(a.c, full_lanes_for(*s.target, g.problem.in.channels), Halide::TailStrategy::ShiftInwards);
}

void apply_map(Stages& a, const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const Halide::Var strip("strip"), row("row"), tile("tile"), xi("xi"), group("group"), ci("ci"),
        all("all"), task("task");
    a.output.split(a.y, strip, row, knobs.get("strip"))
        .split(a.x, tile, xi, knobs.get("positions"), Halide::TailStrategy::ShiftInwards)
        .split(a.c, group, ci, g.group_out)
        .reorder(ci, xi, tile, group, row, strip, a.n)
        .fuse(strip, a.n, task)
        .parallel(task);
    if (s.problem.layout != Layout::nhwc)
        a.output.reorder(xi, ci).vectorize(xi).unroll(ci);
    else if (g.problem.groups > 1)
        a.output.vectorize(ci).unroll(xi);
    else
        a.output.fuse(ci, xi, all).vectorize(all);
    sum_tile(a, s, Halide::LoopLevel(a.output, tile), a.sum, a.window, knobs);
    if (knobs.get("stored") != 0)
        store_padded(a, s, task);
    else
        store_unpadded(a, s, task, knobs.get("strip"));
}

void apply(Stages& a, const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    a.output.bound(a.c, 0, g.out.channels).bound(a.x, 0, g.out.width).bound(a.y, 0, g.out.height);
    if (!g.has_phases)
        return apply_map(a, s, knobs);
    for (int k = 0; k < static_cast<int>(a.phases.size()); ++k)
        apply_phase(a, s, knobs, k);
}

} // namespace

const Family dot_family = {
    .name = "dot",
    .meaning = "convolution to few channels, by vectors of the summed ones",
    .knobs = {{"positions", "columns of the output, or of a phase, in the register tile", position_choices},
              {"vectors", "vectors of summed channels in the register tile", vector_choices},
              {"strip", "rows of a task, whose padded input is stored together where that is stored",
               strip_choices},
              {"unroll", "tiles' worth of summed channels per turn of the tile loop", unroll_choices},
              {"stored", "1: the padded input is stored; 0: it is read as it is", stored_choices}},
    .legal = legal,
    .defaults = defaults,
    .fits = fits,
    .request = request,
    .apply = apply,
    .cost = cost,
    .is_preferred = is_preferred,
    .computes_once = true,
};

} // namespace lamina
