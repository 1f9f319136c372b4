// Direct convolution: one register tile of output channels x positions is summed over the whole window while
// it stays in registers. The kernel is packed so that a tile's vectors are contiguous along the sum;
// positions run linearly over the map, so that narrow maps waste no columns; the padded input is stored strip
// by strip, near the cache.
#include "schedules/nests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace lamina {

namespace {

struct Geometry {
    int out_height, out_width, positions; // of one map
    int group_in, group_out;              // channels of one group
    int window;                           // kernel elements per channel
    int lanes;                            // 32-bit lanes of one vector
};

Geometry geometry(const Situation& s) {
    const Problem p = as_convolution(s.problem);
    const Shape out = output_shape(p);
    const int group_out = p.out_channels / p.groups;
    return {out.height,
            out.width,
            out.height * out.width,
            p.in.channels / p.groups,
            group_out,
            p.kernel_size.height * p.kernel_size.width,
            lanes_for(*s.target, group_out)};
}

std::string fits(const Situation& s) {
    const Problem& p = s.problem;
    const Geometry g = geometry(s);
    if (!is_one_sum(p))
        return fmt::format("it schedules sums of products with a kernel, not {}", facts(p.op).name);
    if (has_unfolded_gradient(p))
        return fmt::format("padding_mode={}: {}",
                           padding_mode_names[static_cast<std::size_t>(p.padding_mode)], why_not_unfolded);
    if (s.target->is_gpu)
        return fmt::format("target {} has no CPU vectors", s.target->name);
    const int out_channels = as_convolution(p).out_channels;
    if (p.groups > 1 && g.group_out % g.lanes != 0)
        return fmt::format(
            "groups={}: a group's {} output channels must be a multiple of the vector's {} lanes", p.groups,
            g.group_out, g.lanes);
    if (g.lanes < 4)
        return fmt::format("{} channels to compute: fewer than a vector of 4", out_channels);
    if (static_cast<std::int64_t>(g.out_height) * g.out_width > (1 << 28))
        return "the output map has more than 2^28 positions";
    return "";
}

// Accumulators, one tile's kernel vectors and one broadcast input share the registers. A single position's
// kernel vectors are read by the multiply-adds themselves.
std::int64_t registers_used(std::int64_t vectors, std::int64_t positions) {
    return vectors * positions + (positions == 1 ? 1 : vectors) + 1;
}

// A kernel that is gone through once for each few positions comes in order, which the core fetches ahead by
// itself: 8 MB of a dense layer's took a quarter longer with prefetches.
constexpr int few_positions = 4;

// Few positions need the more vectors to hide the multiply-adds' latency.
int most_vectors(const Situation& s) {
    return geometry(s).positions < few_positions ? 8 : 4;
}

// Whether the last block of output channels may have fewer than its vectors hold.
bool may_be_masked(const Situation& s) {
    const Geometry g = geometry(s);
    return g.group_out % g.lanes != 0 || (s.problem.groups == 1 && g.positions < few_positions);
}

std::vector<int> vector_choices(const Situation& s) {
    std::vector<int> values;
    const Geometry g = geometry(s);
    for (int v = 1; v <= most_vectors(s) && (v - 1) * g.lanes < g.group_out; ++v)
        if (may_be_masked(s) || g.group_out % (v * g.lanes) == 0)
            values.push_back(v);
    return values;
}

std::vector<int> position_choices(const Situation& s) {
    std::vector<int> values;
    for (int p = 1; p <= geometry(s).positions && registers_used(1, p) <= s.target->vector_registers; ++p)
        values.push_back(p);
    return values;
}

std::vector<int> strip_choices(const Situation& s) {
    return divisors(geometry(s).out_height);
}

std::vector<int> chunk_choices(const Situation& s) {
    return divisors(geometry(s).group_in);
}

// Elements of the kernel can meet padding alone only where zeros are put around the input; tiles count
// positions of the whole map.
std::string why_no_skip(const Situation& s, int strip) {
    const Problem p = as_convolution(s.problem);
    const Padding padding = resolved_padding(p);
    if (p.op == Operator::transposed_convolution || p.padding_mode != PaddingMode::zeros ||
        padding.top + padding.bottom == 0)
        return "no zeros above or below the input";
    if (strip != output_shape(p).height)
        return fmt::format("strip:{}: only where the whole map is one strip", strip);
    return "";
}

// Columns of the kernel are left out where it is known of each of a tile's positions which column of the map
// it is, and each of the kernel's columns has code of its own.
bool skips_columns(const Situation& s, int positions) {
    constexpr int most_kernel_columns = 7;
    const Problem p = as_convolution(s.problem);
    const Padding padding = resolved_padding(p);
    return padding.left + padding.right > 0 && positions % geometry(s).out_width == 0 &&
           p.kernel_size.width <= most_kernel_columns;
}

std::vector<int> skip_choices(const Situation& s) {
    return why_no_skip(s, geometry(s).out_height).empty() ? std::vector{0, 1} : std::vector{0};
}

// Bytes of the kernel that a tile goes through.
double block_bytes(const Situation& s, int vectors) {
    const Geometry g = geometry(s);
    return 4.0 * vectors * g.lanes * g.group_in * g.window;
}

// A block's kernel that leaves no room for another in the L2 cache would only be driven out.
std::string why_no_prefetch(const Situation& s, int vectors) {
    const Geometry g = geometry(s);
    const int block = vectors * g.lanes;
    if (block >= as_convolution(s.problem).out_channels)
        return "one block holds all output channels";
    if (g.positions < few_positions)
        return fmt::format("the map has {} positions, too few tiles to fetch the next block's kernel between",
                           g.positions);
    if (block_bytes(s, vectors) > 0.75 * s.target->l2_bytes)
        return "a block's kernel takes more than three quarters of the L2 cache";
    return "";
}

std::vector<int> ahead_choices(const Situation& s) {
    return why_no_prefetch(s, 1).empty() ? std::vector{0, 1} : std::vector{0};
}

std::vector<int> unroll_choices(const Situation& s) {
    std::vector<int> values;
    for (int d : divisors(geometry(s).group_in))
        if (d <= 8)
            values.push_back(d);
    return values;
}

std::string legal(const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const int vectors = knobs.get("vectors", 1), positions = knobs.get("positions", 1),
              strip = knobs.get("strip", g.out_height);
    if (!contains(vector_choices(s), vectors))
        return fmt::format(
            "vectors:{}: must be 1 to {}, and {} lanes each must {} the group's {} output channels", vectors,
            most_vectors(s), g.lanes, may_be_masked(s) ? "begin within" : "divide", g.group_out);
    if (positions < 1 || registers_used(vectors, positions) > s.target->vector_registers)
        return fmt::format("positions:{}: {} vectors x {} positions need {} vector registers of {} on {}",
                           positions, vectors, positions, registers_used(vectors, positions),
                           s.target->vector_registers, s.target->name);
    if (!contains(strip_choices(s), strip))
        return fmt::format("strip:{}: must divide the output's {} rows", strip, g.out_height);
    if (positions > strip * g.out_width)
        return fmt::format("positions:{}: a strip of {} rows has only {} positions", positions, strip,
                           strip * g.out_width);
    const int skip = knobs.get("skip", 0);
    if (skip != 0 && (skip != 1 || !why_no_skip(s, strip).empty()))
        return fmt::format("skip:{}: {}", skip, skip == 1 ? why_no_skip(s, strip) : "must be 0 or 1");
    const int ahead = knobs.get("ahead", 0);
    if (ahead != 0 && (ahead != 1 || !why_no_prefetch(s, vectors).empty()))
        return fmt::format("ahead:{}: {}", ahead,
                           ahead == 1 ? why_no_prefetch(s, vectors) : "must be 0 or 1");
    const int chunk = knobs.get("chunk", g.group_in), unroll = knobs.get("unroll", 1);
    if (!contains(chunk_choices(s), chunk))
        return fmt::format("chunk:{}: must divide a group's {} input channels", chunk, g.group_in);
    if (!contains(unroll_choices(s), unroll) || chunk % unroll != 0)
        return fmt::format("unroll:{}: must divide a chunk's {} input channels and be at most 8", unroll,
                           chunk);
    return "";
}

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
    const Problem p = as_convolution(s.problem);
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
    const Problem p = as_convolution(s.problem);
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
    const Problem p = as_convolution(s.problem);
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
    // Not every load arrives in time, so that accumulators which just hide the latency are a little late.
    // Measured on a Zen 3: eight of them, 0.92 to 0.95 of the peak in deep sums; on a Zen 5 in sums of 64
    // steps 0.87, where ten are at 0.94.
    const double arithmetic = std::max<double>(multiply_adds / t.fma_per_cycle, t.fma_latency + 0.6);
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

// Bytes of an image that come from beyond the L2 cache: a strip's padded input that does not stay there is
// read again for each block of output channels, a kernel that does not stay there again for each strip. The
// kernel's bytes count twice, because each is used for one tile only before the next is due, an input's for
// the whole window; fetched ahead, they count less. What does not stay is also written and fetched once more.
double far_bytes(const Situation& s, int block, int strip, bool is_ahead) {
    const Geometry g = geometry(s);
    const Problem p = as_convolution(s.problem);
    const double l2 = s.target->l2_bytes;
    const double kernel = 4.0 * g.group_in * g.window * p.out_channels;
    const double input =
        p.op == Operator::transposed_convolution ? padded_bytes(p, strip) : input_bytes(p, strip);
    const double strips = static_cast<double>(g.out_height) / strip, blocks = ceil_div(p.out_channels, block);
    return strips * input * (input > l2 * 0.75 ? blocks + 2 : 1) +
           (is_ahead ? 1.5 : 2) * kernel * (kernel > l2 * 0.5 ? strips : 1);
}

// Bytes of an image's output, and of the residual that is added, on their way between the core and what is
// beyond the L2 cache. Each block of output channels touches but a part of a position's lines: where a
// strip's leave the L2 cache before the next block is due, the core has fetched lines and pages ahead in
// vain. Measured on an Emerald Rapids: 1x1 64->256 on 56x56 with a residual, 0.99 ms in strips of 3.1 MiB,
// 0.88 of 1.5 and 0.82 of 0.4.
double result_bytes(const Situation& s, int block, int strip) {
    const Problem p = as_convolution(s.problem);
    const double bytes =
        4.0 * geometry(s).out_width * p.out_channels * (p.epilogue.has(Step::residual) ? 2 : 1);
    const bool is_in_vain = block < p.out_channels && bytes * strip > s.target->l2_bytes * 0.5;
    return bytes * geometry(s).out_height * (is_in_vain ? 1.5 : 1);
}

// Vectors of multiply-adds of an image.
double vector_count(const Situation& s) {
    const Geometry g = geometry(s);
    return static_cast<double>(g.positions) * g.window * g.group_in * as_convolution(s.problem).out_channels /
           g.lanes;
}

// Whether a map that is a single strip is worth what its padded input takes: its tiles leave padding out, the
// core fetches as few bytes a cycle ahead by itself, and it stays in the L2 cache of most cores. Measured on
// a Zen 5: 3x3 256->256 on 28x28 by strides of two, 0.9 MiB and 3.7 bytes a cycle, 0.99 of the peak instead
// of 0.96 in strips; on an Emerald Rapids: 128->128 on 56x56, 1.6 MiB, 0.82 instead of 0.91.
bool is_worth_whole(const Situation& s, int block) {
    constexpr double bytes_per_cycle = 4, most_bytes = 1 << 20;
    const int rows = geometry(s).out_height;
    return why_no_skip(s, rows).empty() && padded_bytes(as_convolution(s.problem), rows) <= most_bytes &&
           far_bytes(s, block, rows, false) <= bytes_per_cycle * vector_count(s) / s.target->fma_per_cycle;
}

// Of all strips, the one that waits least for bytes from beyond the L2 cache.
int default_strip(const Situation& s, int block) {
    const Geometry g = geometry(s);
    constexpr int fewest_positions = 64;
    if (is_worth_whole(s, block))
        return g.out_height;
    int best = g.out_height;
    double fewest = 1e300;
    for (int strip : strip_choices(s)) {
        const double bytes = far_bytes(s, block, strip, false) + result_bytes(s, block, strip);
        if (strip * g.out_width >= std::min(g.positions, fewest_positions) && bytes <= fewest) {
            fewest = bytes;
            best = strip;
        }
    }
    return best;
}

int default_chunk(const Situation& s) {
    const Geometry g = geometry(s);
    int best = g.group_in;
    for (int chunk : chunk_choices(s))
        if (chunk % 16 == 0 && chunk <= 512)
            best = chunk;
    return g.window == 1 ? g.group_in : best;
}

// Where the kernel does not stay in the L2 cache from one call to the next, and a block has so few tiles that
// the first one's waiting counts. Measured on an Emerald Rapids, by turns with another library's kernels: 1x1
// 1024->512 on 14x14 (2 MiB) 0.89 of the peak without and 0.95 with, 1024->256 (1 MiB) 0.89 and 0.97,
// 512->256 on 28x28 (0.5 MiB) 0.95 and 0.91; 512->2048 on 7x7 (4 MiB) 0.79 and 0.90. On a Zen 3 4 MiB gained
// nothing, 3x3 512->512 on 7x7, 9 MiB, went from 0.77 to 0.86 to 0.87 to 0.89; on 14x14 by strides of two on
// a Zen 5 1.06 and 1.02 while the cache behind the L2 is this core's alone, 0.84 and 0.98 while others use
// it.
bool default_ahead(const Situation& s, int vectors, int strip_positions, int positions) {
    const Geometry g = geometry(s);
    return why_no_prefetch(s, vectors).empty() &&
           4.0 * g.group_in * g.window * as_convolution(s.problem).out_channels >= s.target->l2_bytes &&
           ceil_div(strip_positions, positions) <= 64;
}

int default_unroll(const Situation& s) {
    const Geometry g = geometry(s);
    const std::vector<int> unrolls = unroll_choices(s);
    return g.group_in <= 8 ? g.group_in : (contains(unrolls, 4) ? 4 : unrolls.back());
}

Knobs defaults(const Situation& s, const Knobs& given) {
    const Geometry g = geometry(s);
    // More rows than there are will be refused; no product of theirs shall overflow until then.
    const int strip = std::min(given.get("strip", default_strip(s, 2 * g.lanes)), g.out_height);
    const bool can_skip = why_no_skip(s, strip).empty();
    const int skip = given.get("skip", can_skip ? 1 : 0);
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
    const int ahead = given.get("ahead", default_ahead(s, vectors, strip * g.out_width, positions));
    return {{"vectors", vectors},
            {"positions", positions},
            {"strip", strip},
            {"chunk", default_chunk(s)},
            {"unroll", default_unroll(s)},
            {"skip", skip},
            {"ahead", ahead}};
}

// Cycles of an image: the tiles' arithmetic, what the loops around them cost, and bytes from beyond the L2
// cache, of which a core gets about eight a cycle.
double cost(const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const int vectors = knobs.get("vectors"), positions = knobs.get("positions"), strip = knobs.get("strip");
    const double multiply_adds = vector_count(s);
    const double steps = multiply_adds / (vectors * positions);
    const bool is_ahead = knobs.get("ahead") != 0;
    const double turns = steps / knobs.get("unroll"), loops = steps / knobs.get("chunk");
    return multiply_adds * tile_cost(s, vectors, positions, strip * g.out_width, knobs.get("skip") != 0) +
           (is_ahead ? 0.8 : 0.2) * turns + 4 * loops +
           (far_bytes(s, vectors * g.lanes, strip, is_ahead) + result_bytes(s, vectors * g.lanes, strip)) / 8;
}

// Places of the kernel that a tile of few positions reads at the same time: memory keeps more of them coming
// than of one. Measured on a Zen 3: 67 MB of kernel at 20 GB/s from one place, 28 GB/s from four.
int stream_count(const Situation& s, int vectors) {
    return geometry(s).positions < few_positions ? std::gcd(vectors, 4) : 1;
}

AlgorithmRequest request(const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const int streams = stream_count(s, knobs.get("vectors")), positions = knobs.get("positions");
    return {.kernel_block = knobs.get("vectors") / streams * g.lanes,
            .kernel_blocks = streams,
            .kernel_chunk = knobs.get("chunk"),
            .is_linear = true,
            .row_part = g.out_width % positions == 0 ? positions : 0,
            .tile_positions = knobs.get("skip") != 0 ? positions : 0,
            .skips_columns = knobs.get("skip") != 0 && skips_columns(s, positions),
            .prefetch_tiles =
                knobs.get("ahead") != 0 ? ceil_div(knobs.get("strip") * g.out_width, positions) : 0};
}

// Tiles of a task inside a strip of so many: all of them, unless few strips and blocks of channels leave
// threads without work, and a task has work for two microseconds. Measured on two threads of a Zen 5: 1x1
// 576->160 on 7x7, five blocks of channels, 22.9 us as five tasks, 18.9 as fifteen.
int tiles_of_task(const Situation& s, const Knobs& knobs, int tiles) {
    constexpr double cycles_of_task = 8000;
    constexpr int wanted_tasks = 16;
    const Geometry g = geometry(s);
    const int blocks = ceil_div(as_convolution(s.problem).out_channels, knobs.get("vectors") * g.lanes),
              strips = g.out_height / knobs.get("strip");
    const double cycles = vector_count(s) / s.target->fma_per_cycle;
    const int tasks = static_cast<int>(std::min<double>(wanted_tasks, cycles / cycles_of_task));
    if (knobs.get("ahead") != 0 || tasks <= strips * blocks)
        return tiles;
    return ceil_div(tiles, ceil_div(tasks, strips * blocks));
}

// Makes blocks of channels tasks, or parts of their tiles where blocks are too few.
void make_tasks(Halide::Func& output, const Halide::Var& tile, const Halide::Var& co, int tiles,
                int tiles_of_task) {
    if (tiles_of_task == tiles) {
        output.parallel(co);
        return;
    }
    const Halide::Var part("part"), block("block");
    output.split(tile, part, tile, tiles_of_task, Halide::TailStrategy::GuardWithIf)
        .fuse(part, co, block)
        .parallel(block);
}

void apply(Stages& a, const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const int block = knobs.get("vectors") * g.lanes;
    Halide::Var strip("strip"), within("within"), tile("tile"), pi("pi"), co("co"), ci("ci"), task("task");
    const bool skips = knobs.get("skip") != 0;
    const int out_channels = as_convolution(s.problem).out_channels;
    a.output.bound(a.c, 0, out_channels).bound(a.p, 0, g.positions).bound(a.y, 0, 1);
    a.output.split(a.p, strip, within, knobs.get("strip") * g.out_width)
        .split(within, tile, pi, knobs.get("positions"),
               skips ? Halide::TailStrategy::GuardWithIf : Halide::TailStrategy::ShiftInwards)
        .split(a.c, co, ci, block, channel_tail(out_channels, block))
        .reorder(ci, pi, tile, co, strip, a.y, a.n)
        .unroll(pi);
    // Masked stores go with the vector of a whole block only; it is cut into registers all the same.
    if (out_channels % block == 0)
        a.output.vectorize(ci, g.lanes).unroll(ci);
    else
        a.output.vectorize(ci);
    // What is left out is the same for a whole tile only if the last one does not begin within another.
    if (skips)
        a.sum.bound_extent(a.p, knobs.get("positions")).bound_extent(a.y, 1);
    schedule_register_tile(a, Halide::LoopLevel(a.output, tile), g.lanes, knobs.get("chunk"),
                           knobs.get("unroll"));
    if (skips && skips_columns(s, knobs.get("positions")))
        a.sum.update().unroll(a.window[1]);
    const int tiles = ceil_div(knobs.get("strip") * g.out_width, knobs.get("positions"));
    if (knobs.get("strip") < g.out_height) {
        a.output.fuse(strip, a.n, task).parallel(task);
        if (needs_inner_tasks(g.out_height / knobs.get("strip"), s.problem.in.batch))
            make_tasks(a.output, tile, co, tiles, tiles_of_task(s, knobs, tiles));
        store_padded(a, s, task);
    } else {
        make_tasks(a.output, tile, co, tiles, tiles_of_task(s, knobs, tiles));
        store_padded(a, s, a.n);
        // Where there is more of it than one thread stores while others are woken.
        constexpr double little = 64 << 10;
        if (a.padded.defined() && padded_bytes(as_convolution(s.problem), g.out_height) > little)
            a.padded.parallel(a.y);
    }
}

} // namespace

const Family direct_family = {
    "direct",
    "convolution by a register tile of output channels and positions",
    {{"vectors", "vectors of output channels in the register tile", vector_choices},
     {"positions", "output positions in the register tile", position_choices},
     {"strip", "output rows whose padded input is stored together", strip_choices},
     {"chunk", "input channels that are summed over the whole window before the next ones", chunk_choices},
     {"unroll", "input channels per turn of the innermost loop", unroll_choices},
     {"skip", "1: tiles leave out the kernel's rows that meet only padding", skip_choices},
     {"ahead", ahead_meaning, ahead_choices}},
    legal,
    defaults,
    fits,
    request,
    apply,
    cost,
};

} // namespace lamina
