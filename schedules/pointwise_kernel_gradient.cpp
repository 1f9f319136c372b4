// The gradient of a kernel of one element: a register tile of output channels x input channels is summed over
// a strip of positions, which are read as they are and so few that the L1 cache holds what neighbouring tiles
// read of them.
#include "schedules/nests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace lamina {

namespace {

struct Geometry {
    int in, out;       // channels of which a tile has single ones, and those of which it has vectors
    int positions;     // of a map, of all images where their number is known
    int lanes;         // of which `out` channels are whole vectors
    bool along_inputs; // `out` are the input's channels: the sums are transposed in the end
};

// The most lanes of which so many channels are whole vectors.
int whole_lanes(const Situation& s, int channels) {
    int lanes = full_lanes_for(*s.target, channels);
    while (channels % lanes != 0)
        lanes /= 2;
    return lanes;
}

// Vectors run along output channels, as the kernel's gradient does in memory, unless input channels fill more
// of them.
Geometry geometry(const Situation& s) {
    const Problem p = as_pointwise(s.problem);
    const int in = p.in.channels, out = p.out_channels, images = p.in.batch == open_batch ? 1 : p.in.batch,
              positions = p.in.height * p.in.width * images;
    const int lanes = whole_lanes(s, out), lanes_of_inputs = whole_lanes(s, in);
    const bool along_inputs = lanes_of_inputs > lanes && std::int64_t{4} * in * out <= small_scratch_bytes;
    return along_inputs ? Geometry{out, in, positions, lanes_of_inputs, true}
                        : Geometry{in, out, positions, lanes, false};
}

std::string fits(const Situation& s) {
    const Problem p = as_pointwise(s.problem);
    if (facts(p.op).gradient != Gradient::kernel)
        return fmt::format("it schedules gradients of kernels, not {}", facts(s.problem.op).name);
    if (s.target->is_gpu)
        return fmt::format("target {} has no CPU vectors", s.target->name);
    if (p.groups > 1)
        return fmt::format("groups={}: it needs one", p.groups);
    if (p.kernel_size.height * p.kernel_size.width > 1)
        return fmt::format("kernel_size={}x{}: it needs a kernel of one element", p.kernel_size.height,
                           p.kernel_size.width);
    const Shape out = output_shape(p);
    if (p.stride.height * p.stride.width != 1 || out.height != p.in.height || out.width != p.in.width)
        return "both maps must have the same positions";
    if (p.layout != Layout::nhwc)
        return "layout=nchw: a position's channels must be neighbours";
    if (takes_slope(p))
        return "the gradient of the sums would be computed for each tile";
    const Geometry g = geometry(s);
    if (g.positions == 1)
        return "one position: there is nothing to sum in registers";
    if (g.lanes < 4)
        return fmt::format("{} input and {} output channels: no whole vectors of at least 4", p.in.channels,
                           p.out_channels);
    return "";
}

std::vector<int> vector_choices(const Situation& s) {
    const Geometry g = geometry(s);
    std::vector<int> values;
    for (int v = 1; v <= 4; ++v)
        if (g.out % (v * g.lanes) == 0)
            values.push_back(v);
    return values;
}

std::vector<int> channel_choices(const Situation& s) {
    const Geometry g = geometry(s);
    std::vector<int> values;
    for (int c = 1; c <= g.in && c + 2 <= s.target->vector_registers; ++c)
        values.push_back(c);
    return values;
}

// Few enough for both maps' rows of a strip to stay in the L1 cache, or all.
std::vector<int> position_choices(const Situation& s) {
    const int positions = geometry(s).positions;
    std::vector<int> values;
    for (int p = 16; p <= std::min(256, positions - 1); ++p)
        if (p % 16 == 0 || positions % p == 0)
            values.push_back(p);
    if (positions <= 1024)
        values.push_back(positions);
    return values;
}

// Tiles side by side of the side with more channels, which tasks divide among them.
int far_tiles(const Geometry& g, int vectors, int channels) {
    return g.in < g.out ? g.out / (vectors * g.lanes) : ceil_div(g.in, channels);
}

std::vector<int> share_choices(const Situation& s) {
    std::vector<int> values;
    const Geometry g = geometry(s);
    for (int v : vector_choices(s))
        for (int c : channel_choices(s))
            if (tile_registers(v, c) <= s.target->vector_registers)
                for (int share : divisors(far_tiles(g, v, c)))
                    values.push_back(share);
    std::ranges::sort(values);
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
}

std::vector<int> part_choices(const Situation& s) {
    std::vector<int> values{1};
    while (values.back() < 16 && values.back() * 32 <= geometry(s).positions)
        values.push_back(values.back() * 2);
    return values;
}

std::vector<int> ahead_choices(const Situation& s) {
    return geometry(s).positions > 16 ? std::vector{0, 1} : std::vector{0};
}

std::string why_no_tasks(const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const int count = far_tiles(g, knobs.get("vectors", 1), knobs.get("channels", 1)),
              share = knobs.get("share", count), parts = knobs.get("parts", 1);
    if (share < 1 || count % share != 0)
        return fmt::format("share:{}: must divide the {} tiles of the side with more channels", share, count);
    if (!contains(part_choices(s), parts))
        return fmt::format("parts:{}: must be a power of two up to {}, each of at least 16 of {} positions",
                           parts, part_choices(s).back(), g.positions);
    if (parts > 1 || g.along_inputs)
        return why_no_room_for_gradients(parts, std::int64_t{4} * g.in * g.out);
    return "";
}

std::string legal(const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const int vectors = knobs.get("vectors", 1), channels = knobs.get("channels", 1),
              positions = knobs.get("positions", g.positions);
    if (!contains(vector_choices(s), vectors))
        return fmt::format("vectors:{}: must be 1 to 4, and {} lanes each must divide the {} {} channels",
                           vectors, g.lanes, g.out, g.along_inputs ? "input" : "output");
    if (!contains(channel_choices(s), channels))
        return fmt::format("channels:{}: must be 1 to {}", channels, channel_choices(s).back());
    if (tile_registers(vectors, channels) > s.target->vector_registers)
        return fmt::format("channels:{}: {} vectors x {} channels need {} vector registers of {} on {}",
                           channels, vectors, channels, tile_registers(vectors, channels),
                           s.target->vector_registers, s.target->name);
    if (positions < 1 || positions > g.positions)
        return fmt::format("positions:{}: must be 1 to {}", positions, g.positions);
    if (!contains(ahead_choices(s), knobs.get("ahead", 0)))
        return fmt::format("ahead:{}: must be 0, or 1 where there are more than 16 positions",
                           knobs.get("ahead", 0));
    return why_no_tasks(s, knobs);
}

// Of a tile at one position of the map with more channels.
int far_lines(const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const int tile = g.in < g.out ? knobs.get("vectors") * g.lanes : knobs.get("channels");
    return ceil_div(4 * tile, line_bytes);
}

// Cycles of a tile's multiply-adds at one position: their rate, or the latency of few accumulators, or two
// loads a cycle.
double arithmetic(const Situation& s, int vectors, int channels) {
    const double loads = (vectors + channels) / 2.0;
    return std::max({static_cast<double>(vectors) * channels / s.target->fma_per_cycle,
                     s.target->fma_latency + 0.2, loads}) +
           0.1 * loads;
}

// Cycles of a call, an open batch counted as one image: the tiles' arithmetic, about one a position more as
// what a strip's tiles read fills the L1 cache, and two for each line where it does not stay there;
// accumulators added to the kernel's gradient, once a strip, from beyond that cache where it has other ones
// in between; the map of fewer channels, read by each share; the parts' gradients; and their transposition.
double cost(const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const int vectors = knobs.get("vectors"), channels = knobs.get("channels"), block = vectors * g.lanes,
              strip = knobs.get("positions"), parts = knobs.get("parts"), lines = far_lines(s, knobs);
    const int near_bytes = 4 * (g.in < g.out ? channels : block), row_bytes = 4 * std::min(g.in, g.out);
    const double fill = static_cast<double>(strip) * (row_bytes + lines * line_bytes) / s.target->l1_bytes;
    const double waiting = fill < 0.9 ? fill : fill + 2.0 * (lines + ceil_div(near_bytes, line_bytes));
    const double tiles = ceil_div(g.out, block) * static_cast<double>(ceil_div(g.in, channels));
    const double strips = ceil_div(g.positions, strip * parts) * parts;
    const double tasks = static_cast<double>(far_tiles(g, vectors, channels)) / knobs.get("share");
    const double kernel = static_cast<double>(g.in) * g.out;
    const double adding = strips == 1 ? 0.5 : 4 * kernel > s.target->l1_bytes ? 3 : 1;
    return tiles * (g.positions * (arithmetic(s, vectors, channels) + waiting) +
                    strips * (10 + adding * vectors * channels)) +
           (tasks - 1) * g.positions * row_bytes / 16 + (parts > 1 ? parts * 3 * kernel / g.lanes : 0) +
           (g.along_inputs ? kernel : 0);
}

// Parts of the positions where these are many, else shares of the channels, for about eight tasks. (1x1
// 16->96 of 112x112, one thread, shares of a quarter: 0.61 of the peak, and 0.75 without shares, which read
// lines apart; 384->64 of 14x14: 0.91 with and without.)
int default_parts(const Situation& s) {
    const Geometry g = geometry(s);
    int parts = 1;
    for (int p : part_choices(s))
        if (p * 256 <= g.positions && std::int64_t{4} * p * g.in * g.out * 2 <= s.target->l2_bytes)
            parts = p;
    return parts;
}

int default_share(const Situation& s, int vectors, int channels, int parts) {
    const std::vector<int> shares = divisors(far_tiles(geometry(s), vectors, channels));
    for (auto share = shares.rbegin(); share != shares.rend(); ++share)
        if (shares.back() / *share * parts >= 8)
            return *share;
    return shares.front();
}

// Lines of the L1 cache that neighbouring positions of the map with more channels are apart by, as far as
// that makes them share sets.
int shared_sets(const Geometry& g) {
    return std::gcd(4 * std::max(g.in, g.out) / line_bytes, 64);
}

// Where the maps come from beyond the L2 cache, and what is fetched for the next strip does not drive out
// what this one reads. (1x1 16->96 of 112x112, Zen 3: 0.77 of the peak, and 0.65 without; 256->64 of 56x56:
// 0.67, and 0.78 without.)
int default_ahead(const Situation& s) {
    const Geometry g = geometry(s);
    const std::int64_t bytes = std::int64_t{4} * g.positions * (g.in + g.out);
    return g.positions > 16 && bytes > 2 * s.target->l2_bytes && shared_sets(g) < 4 ? 1 : 0;
}

Knobs defaults(const Situation& s, const Knobs& given) {
    Knobs best;
    double least = 1e300;
    const int parts = given.get("parts", default_parts(s)), ahead = given.get("ahead", default_ahead(s));
    for (int v : open_choices(given, "vectors", vector_choices(s)))
        for (int c : open_choices(given, "channels", channel_choices(s)))
            for (int positions : open_choices(given, "positions", position_choices(s))) {
                Knobs knobs{{"vectors", v},
                            {"channels", c},
                            {"positions", positions},
                            {"parts", parts},
                            {"ahead", ahead}};
                knobs.set("share", given.get("share", 1));
                if (!given.has("share") && legal(s, knobs).empty())
                    knobs.set("share", default_share(s, v, c, parts));
                const bool is_legal = legal(s, knobs).empty();
                if (!is_legal && !best.values().empty())
                    continue;
                if (const double cycles = is_legal ? cost(s, knobs) : 1e299; cycles < least) {
                    least = cycles;
                    best = knobs;
                }
            }
    return best;
}

// Where vectors are full, and the L1 cache holds what the tiles of a strip read, of as many positions as pay
// for adding it up. (1x1 of 28x28, Zen 3: 512->128 at 0.74 of the peak, and 0.82 from stored maps; 64->256 of
// 56x56, whose positions are 1 KiB apart, at 0.66, and 0.72.)
bool is_preferred(const Situation& s) {
    constexpr int least_strip = 48;
    const Geometry g = geometry(s);
    const double row_bytes = 4.0 * std::min(g.in, g.out) + line_bytes;
    return g.lanes == full_lanes_for(*s.target, g.out) &&
           std::min(least_strip, g.positions) * row_bytes <= 0.8 * s.target->l1_bytes &&
           (g.in >= g.out || shared_sets(g) < 16);
}

AlgorithmRequest request(const Situation& s, const Knobs& knobs) {
    return {.window = {.channels = knobs.get("channels"),
                       .parts = knobs.get("parts"),
                       .positions = knobs.get("positions"),
                       .along_inputs = geometry(s).along_inputs,
                       .prefetch_lines = knobs.get("ahead") != 0 ? far_lines(s, knobs) : 0}};
}

void apply_sum(Stages& a, const Situation& s, const Knobs& knobs) {
    const int lanes = geometry(s).lanes, channels = knobs.get("channels");
    a.sum.store_in(Halide::MemoryType::Stack).bound_extent(a.c, channels);
    a.sum.vectorize(a.d, lanes).unroll(a.d).unroll(a.c);
    Halide::Stage update = a.sum.update();
    if (channels < knobs.get("vectors"))
        update.reorder(a.c, a.d, a.window[0]);
    else
        update.reorder(a.d, a.c, a.window[0]);
    update.vectorize(a.d, lanes).unroll(a.d).unroll(a.c);
}

// The kernel's gradient, or that of each part, tile by tile.
void apply_tiles(Stages& a, Halide::Func& gradient, const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const bool has_strips = a.strips.defined(), has_taps = a.output.dimensions() == 4;
    Halide::Var co("co"), ci("ci"), outer("do"), inner("di"), tile("tile"), task("task");
    if (has_strips)
        gradient.vectorize(a.d, g.lanes, Halide::TailStrategy::RoundUp);
    Halide::Stage sums = has_strips ? Halide::Stage(gradient.update()) : Halide::Stage(gradient);
    sums.split(a.d, outer, inner, knobs.get("vectors") * g.lanes, Halide::TailStrategy::RoundUp)
        .split(a.c, co, ci, knobs.get("channels"), Halide::TailStrategy::GuardWithIf);
    const bool is_far_out = g.in < g.out;
    const Halide::Var &near = is_far_out ? co : outer, &far = is_far_out ? outer : co;
    sums.split(far, task, tile, knobs.get("share"), Halide::TailStrategy::GuardWithIf);
    std::vector<Halide::VarOrRVar> order{inner, ci};
    if (has_taps)
        order.insert(order.end(), {a.x, a.y});
    order.insert(order.end(), {near, tile});
    if (has_strips)
        order.insert(order.end(), {a.strips[0], a.strips[1]});
    order.emplace_back(task);
    if (a.parts.defined())
        order.emplace_back(a.parts.args().back());
    sums.reorder(order).vectorize(inner, g.lanes).unroll(inner).unroll(ci);
    if (a.parts.defined())
        sums.fuse(task, a.parts.args().back(), task);
    sums.parallel(task);
    a.sum.compute_at(gradient, near);
}

void apply(Stages& a, const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const Problem p = as_pointwise(s.problem);
    a.output.bound(a.d, 0, p.out_channels).bound(a.c, 0, p.in.channels);
    if (a.parts.defined()) {
        a.parts.compute_root().bound(a.d, 0, g.out).bound(a.c, 0, g.in);
        a.output.vectorize(a.d, whole_lanes(s, p.out_channels), Halide::TailStrategy::RoundUp);
    }
    for (Halide::Func* gradient : {&a.output, &a.parts})
        if (gradient->defined() && a.output.dimensions() == 4)
            gradient->bound(a.x, 0, 1).bound(a.y, 0, 1);
    apply_tiles(a, a.parts.defined() ? a.parts : a.output, s, knobs);
    apply_sum(a, s, knobs);
}

} // namespace

const Family pointwise_kernel_gradient_family = {
    .name = "pointwise_kernel_gradient",
    .meaning = "gradient of a kernel of one element by a register tile, from maps as they are",
    .knobs = {{"vectors",
               "vectors of output channels in the register tile, or of input channels where more are whole",
               vector_choices},
              {"channels", "channels of the other map in the register tile", channel_choices},
              {"positions", "positions that are summed while the tile stays in registers", position_choices},
              {"parts", "parts of the positions, summed apart, each a task or more", part_choices},
              {"share", "tiles of one task on the side with more channels", share_choices},
              {"ahead", "1: the next strip's part of the map with more channels is fetched", ahead_choices}},
    .legal = legal,
    .defaults = defaults,
    .fits = fits,
    .request = request,
    .apply = apply,
    .cost = cost,
    .is_preferred = is_preferred,
};

} // namespace lamina
