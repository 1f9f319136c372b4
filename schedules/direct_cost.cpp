// What schedules of the family direct cost, and the default.
#include "schedules/direct.hpp"

#include <algorithm>
#include <numeric>

namespace lamina::direct {

double vector_count(const Situation& s) {
    const Geometry g = geometry(s);
    return static_cast<double>(g.positions) * g.window * g.group_in * sums_of(s).out_channels / g.lanes;
}

namespace {

// Of the general registers: the stack, the kernel, the channel's offset, two loops' counters.
constexpr int reserved_registers = 5;

// How many of the numbers below `end` `holds` for, which holds up to one of them and not behind it.
template <class Predicate>
int count_leading(int end, const Predicate& holds) {
    int begin = 0;
    while (begin < end) {
        const int middle = begin + (end - begin) / 2;
        if (holds(middle))
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

// The part of all kernel rows of all tiles that meet the input. A row meets that of neighbouring tiles: from
// the first that ends late enough to the last that begins early enough.
double rows_met(const Situation& s, int positions) {
    const Geometry g = geometry(s);
    const Problem p = sums_of(s);
    const detail::Axis rows = detail::rows(p);
    const int tiles = ceil_div(g.positions, positions);
    double met = 0;
    for (int row = 0; row < p.kernel_size.height; ++row) {
        const auto is_before = [&](int tile) {
            const int last = std::min((tile + 1) * positions, g.positions) - 1;
            return !meets_input(rows, 0, last / g.out_width, row);
        };
        const auto is_not_behind = [&](int tile) {
            return meets_input(rows, tile * positions / g.out_width, g.out_height - 1, row);
        };
        met += std::max(0, count_leading(tiles, is_not_behind) - count_leading(tiles, is_before));
    }
    return met / tiles / p.kernel_size.height;
}

// The part of all pairs of a map's and a kernel's column in which that meets the input.
double columns_met(const Situation& s) {
    const Problem p = sums_of(s);
    const detail::Axis columns = detail::columns(p);
    const int width = output_shape(p).width;
    double met = 0;
    for (int x = 0; x < width; ++x)
        for (int column = 0; column < p.kernel_size.width; ++column)
            met += meets_input(columns, x, x, column);
    return met / width / p.kernel_size.width;
}

// Cycles a step that a tile waits for lines of its positions, which end at the same step: where more of them
// share a set of the L1 cache than it has ways, or where the strides between them leave lines that are
// fetched ahead in vain. Measured on a Zen 5 with two vectors: 1x1 1024->256 on 14x14, 0.97 of the peak with
// seven or ten positions, 0.92 with 14; 3x3 240->256 on 28x28 by strides of two, 0.97, 0.93 and 0.83. A
// kernel beyond the L2 cache's size comes from behind it for each tile: 3x3 512->512 on 14x14 with four
// vectors, 0.88 instead of 1.0.
double waiting(const Situation& s, int vectors, int positions) {
    constexpr int ways = 8, set_count = 64;
    const Problem p = sums_of(s);
    const int pitch = 4 * p.in.channels * window_stride(p).width;
    const int sets = set_count / std::gcd(std::max(pitch / line_bytes, 1), set_count);
    const double crowded = std::max(0, ceil_div(positions, sets) - ways);
    const double apart = window_stride(p).width > 1 ? std::max(0, positions - ways) : 0;
    const double far = block_bytes(s, vectors) > s.target->l2_bytes ? vectors : 0;
    return 0.15 * crowded + 0.4 * apart + 0.25 * far;
}

// Cycles per multiply-add vector that the tile costs, at best 1 / fma_per_cycle: waste in both directions,
// the latency of few accumulators, two loads a cycle, and the kernel's way to the core.
double tile_cost(const Situation& s, int vectors, int positions, int strip_positions, bool skips) {
    const Geometry g = geometry(s);
    const TargetFacts& t = *s.target;
    const double tiles = ceil_div(strip_positions, positions);
    const double met = !skips                        ? 1.0
                       : skips_columns(s, positions) ? rows_met(s, positions) * columns_met(s)
                                                     : rows_met(s, positions);
    const double waste =
        tiles * positions / strip_positions * met *
        (static_cast<double>(ceil_div(g.group_out, vectors * g.lanes)) * vectors * g.lanes / g.group_out);
    const double multiply_adds = vectors * positions;
    // Not every load arrives in time, so that accumulators which just hide the latency are a little late, and
    // those for a cycle more half as much. Measured on a Zen 3: eight of them, 0.92 to 0.95 of the peak in
    // deep sums; on a Zen 5 in sums of 64 steps 0.87, where ten are at 0.94; on a Zen 4 with AVX2 in sums of
    // 64 to 512 ten at 0.91 to 0.93, twelve at 0.95 to 0.97.
    const double issue = std::max<double>(multiply_adds / t.fma_per_cycle, t.fma_latency);
    const double arithmetic = issue + 0.3 * std::max(0.0, t.fma_latency + 2 - issue);
    // Positions of several rows have an address each: those beyond the registers are loaded, and each element
    // of the window moves all of them, four a cycle.
    const int addresses = g.out_width % positions == 0 ? 1 : positions;
    const int spilled = std::max(0, addresses - (t.general_registers - reserved_registers));
    const double loads = (vectors + positions + spilled) / 2.0, moves = addresses / 4.0 / g.group_in;
    // Of two tiles that are equal otherwise, the one with fewer loads disturbs other work less, and so does
    // the one with a single address. Measured on a Zen 5: 1x1 128->512 on 28x28, 0.98 of the peak with 4
    // vectors of 4 positions, 0.96 with 4 of 6; 1x1 256->1024 on 14x14, 0.98 with 2 of 7, 0.96 with 4 of 4, 5
    // or 6.
    const bool is_near = tiles == 1 || stays_in_l1(t, block_bytes(s, vectors));
    const double far = is_near ? 0 : kernel_cycles(vectors * g.lanes);
    const double step = std::max({arithmetic, loads, far}) + 0.07 * loads +
                        (addresses > 1 ? 0.04 * addresses : 0.0) + moves + waiting(s, vectors, positions) +
                        spilling(t, registers_used(vectors, positions), positions);
    // A tile also pays its start: addresses, initial values, epilogue and stores. Measured on a Zen 3 with
    // sums of 16 to 75 steps: 12 to 18 cycles for two positions of four vectors, 26 to 50 for six of two.
    const double steps = static_cast<double>(g.group_in) * g.window, start = 2.0 + 6.0 * positions;
    return waste * (step + start / steps) / multiply_adds;
}

// An input whose windows leave gaps is not touched there.
double input_bytes(const Problem& p, int strip) {
    const auto touched = [](const detail::Axis& axis, int windows) {
        return windows * static_cast<double>(std::min(axis.stride, axis.extent())) +
               static_cast<double>(std::max<std::int64_t>(axis.extent() - axis.stride, 0));
    };
    return 4.0 * p.in.channels * touched(detail::rows(p), strip) *
           touched(detail::columns(p), output_shape(p).width);
}

// Whether a strip has positions for many tiles, or all that there are.
bool has_many_positions(const Situation& s, int strip) {
    constexpr int many = 64;
    const Geometry g = geometry(s);
    return strip * g.out_width >= std::min(g.positions, many);
}

double strip_bytes(const Problem& p, int strip) {
    return p.op == Operator::transposed_convolution ? padded_bytes(p, strip) : input_bytes(p, strip);
}

// Bytes of a strip's input that stay in the L2 cache: more where else none would stay of an input that is
// much larger. Measured on a Zen 4, eight images, the time of another library's kernel over that of this one:
// 1x1 1024->512 on 14x14, 0.94 to 0.99 with all rows as one strip, 6.4 MB, and 0.99 to 1.03 in strips of
// 0.46.
double most_staying(const Situation& s) {
    const Problem p = sums_of(s);
    const double l2 = s.target->l2_bytes, usual = 0.75 * l2;
    const std::vector<int> strips = strip_choices(s);
    const auto shortest =
        std::ranges::find_if(strips, [&](int strip) { return has_many_positions(s, strip); });
    const bool is_none = shortest != strips.end() && strip_bytes(p, *shortest) > usual;
    return is_none && strip_bytes(p, geometry(s).out_height) > 4 * l2 ? 0.9 * l2 : usual;
}

// Bytes of an image that come from beyond the L2 cache: a strip's padded input that does not stay there is
// read again for each block of output channels, a kernel that does not stay there again for each strip. The
// kernel's bytes count twice, because each is used for one tile only before the next is due, an input's for
// the whole window; fetched ahead, they count less. What does not stay is also written and fetched once more.
double far_bytes(const Situation& s, int block, int strip, bool is_ahead) {
    const Geometry g = geometry(s);
    const Problem p = sums_of(s);
    const double l2 = s.target->l2_bytes;
    const double kernel = 4.0 * g.group_in * g.window * p.out_channels;
    const double input = strip_bytes(p, strip);
    const double strips = static_cast<double>(g.out_height) / strip, blocks = ceil_div(p.out_channels, block);
    return strips * input * (input > most_staying(s) ? blocks + 2 : 1) +
           (is_ahead ? 1.5 : 2) * kernel * (kernel > l2 * 0.5 ? strips : 1);
}

// Bytes of an image's output, and of the residual that is added, on their way between the core and what is
// beyond the L2 cache. Each block of output channels touches but a part of a position's lines: where a
// strip's leave the L2 cache before the next block is due, the core has fetched lines and pages ahead in
// vain. Measured on an Emerald Rapids: 1x1 64->256 on 56x56 with a residual, 0.99 ms in strips of 3.1 MiB,
// 0.88 of 1.5 and 0.82 of 0.4.
double result_bytes(const Situation& s, int block, int strip) {
    const Problem p = sums_of(s);
    const double bytes =
        4.0 * geometry(s).out_width * p.out_channels * (p.epilogue.has(Step::residual) ? 2 : 1);
    const bool is_in_vain = block < p.out_channels && bytes * strip > s.target->l2_bytes * 0.5;
    return bytes * geometry(s).out_height * (is_in_vain ? 1.5 : 1);
}

// Whether a map that is a single strip is worth what its padded input takes: its tiles leave padding out, the
// core fetches as few bytes a cycle ahead by itself, and it stays in the L2 cache of most cores. Measured on
// a Zen 5: 3x3 256->256 on 28x28 by strides of two, 0.9 MiB and 3.7 bytes a cycle, 0.99 of the peak instead
// of 0.96 in strips; on an Emerald Rapids: 128->128 on 56x56, 1.6 MiB, 0.82 instead of 0.91. Where the rows
// that meet padding are few among many, strips that stay near are worth more: on a Zen 4, first layers of
// eight images, 7x7 3->64 0.83 of the peak and 0.87 in strips of 8 to 28 rows.
bool is_worth_whole(const Situation& s, int block) {
    constexpr double bytes_per_cycle = 4, most_bytes = 1 << 20, most_met = 0.99;
    const Geometry g = geometry(s);
    const int rows = g.out_height;
    return why_no_skip(s).empty() && rows_met(s, g.out_width) <= most_met &&
           padded_bytes(sums_of(s), rows) <= most_bytes &&
           far_bytes(s, block, rows, false) <= bytes_per_cycle * vector_count(s) / s.target->fma_per_cycle;
}

// Of all strips, the one that waits least for bytes from beyond the L2 cache; but where more is stored than
// read, no longer one than those that fetch their input ahead. Measured on a Zen 4, eight images, the time of
// another library's kernel over that of this one: 1x1 128->512 with a residual on 28x28, 0.92 in strips of 16
// rows and 0.99 of seven; 64->64 on 56x56 would go from 1.03 to 0.99.
int default_strip(const Situation& s, int block) {
    const Geometry g = geometry(s);
    if (is_worth_whole(s, block))
        return g.out_height;
    const bool stores_more = sums_of(s).out_channels > sums_of(s).in.channels;
    int best = g.out_height;
    double fewest = 1e300;
    for (int strip : strip_choices(s)) {
        const double bytes = far_bytes(s, block, strip, false) + result_bytes(s, block, strip);
        if (!has_many_positions(s, strip))
            continue;
        if (stores_more && fetches_input_by_default(s, best) && !fetches_input_by_default(s, strip))
            break;
        if (bytes <= fewest) {
            fewest = bytes;
            best = strip;
        }
    }
    return best;
}

// The bounds of a tile's rows cost something as well. Measured on a Zen 4 in strips, parts of the peak with
// all rows and without those in padding: 7x7 3->64 by strides of two on 32x224 0.975 and 1.003, on 224x224
// 0.965 and 0.955; 3x3 3->64 on 224x224 0.884 and 0.870.
bool skips_by_default(const Situation& s, int strip) {
    constexpr double most_met = 0.98;
    const Geometry g = geometry(s);
    return strip == g.out_height || rows_met(s, g.out_width) <= most_met;
}

int default_chunk(const Situation& s) {
    const Geometry g = geometry(s);
    int best = g.group_in;
    for (int chunk : chunk_choices(s))
        if (chunk % 16 == 0 && chunk <= 512)
            best = chunk;
    return g.window == 1 ? g.group_in : best;
}

int default_unroll(const Situation& s) {
    const Geometry g = geometry(s);
    const std::vector<int> unrolls = unroll_choices(s);
    return g.group_in <= 8 ? g.group_in : (contains(unrolls, 4) ? 4 : unrolls.back());
}

} // namespace

Knobs defaults(const Situation& s, const Knobs& given) {
    const Geometry g = geometry(s);
    // More rows than there are will be refused; no product of theirs shall overflow until then.
    const int strip = std::min(given.get("strip", default_strip(s, 2 * g.lanes)), g.out_height);
    const bool can_skip = why_no_skip(s).empty();
    const int skip = given.get("skip", can_skip && skips_by_default(s, strip) ? 1 : 0);
    int vectors = 1, positions = 1;
    double best = 1e30;
    for (int v : open_choices(given, "vectors", vector_choices(s)))
        for (int p : open_choices(given, "positions", position_choices(s))) {
            if (registers_used(v, p) > s.target->vector_registers || p > strip * g.out_width)
                continue;
            const double cost = tile_cost(s, v, p, strip * g.out_width, skip != 0 && can_skip);
            if (cost < best) {
                best = cost;
                vectors = v;
                positions = p;
            }
        }
    return {{"vectors", vectors},
            {"positions", positions},
            {"strip", strip},
            {"chunk", default_chunk(s)},
            {"unroll", default_unroll(s)},
            {"skip", skip},
            {"ahead", given.get("ahead", default_ahead(s, vectors, positions, strip))}};
}

// The tiles' arithmetic, what the loops around them cost, and bytes from beyond the L2 cache, of which a core
// gets about eight a cycle.
double cost(const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const int vectors = knobs.get("vectors"), positions = knobs.get("positions"), strip = knobs.get("strip");
    const double multiply_adds = vector_count(s);
    const double steps = multiply_adds / (vectors * positions);
    const bool is_ahead = (knobs.get("ahead") & ahead_kernel) != 0;
    const double turns = steps / knobs.get("unroll"), loops = steps / knobs.get("chunk");
    const double bytes =
        far_bytes(s, vectors * g.lanes, strip, is_ahead) + result_bytes(s, vectors * g.lanes, strip);
    const double cycles =
        multiply_adds * tile_cost(s, vectors, positions, strip * g.out_width, knobs.get("skip") != 0) +
        (is_ahead ? 0.8 : 0.2) * turns + 4 * loops + bytes / 8;
    // Images that are seen as one.
    return cycles * std::max(sums_of(s).in.batch, 1) / std::max(as_convolution(s.problem).in.batch, 1);
}

} // namespace lamina::direct
