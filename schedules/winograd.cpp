// Winograd's algorithm for convolutions of stride 1: blocks of tiles of the padded input are transformed, a
// register tile of output channels and tiles is summed over the input channels for each pair of points, and
// the sums are transformed to the output's tiles.
#include "schedules/nests.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lamina {

namespace {

constexpr int most_points = 6;  // winograd_matrices() has no more
constexpr int line_floats = 16; // of a cache line
constexpr int max_taps = 49;    // of a pool's window, which is unrolled

struct Geometry {
    Problem problem;         // the convolution
    Shape out;               // its output, as far as a pool behind it looks
    Shape result;            // the operator's output
    Size pool;               // the windows that are pooled, 1x1 without
    bool is_side_by_side;    // neither overlapping nor apart from each other, without padding
    int group_in, group_out; // channels of one group
    int lanes;
};

Geometry geometry(const Situation& s) {
    const Problem p = as_convolution(s.problem);
    const int group_out = p.out_channels / p.groups;
    Geometry g{p,    output_shape(p),          output_shape(p), Size(1),
               true, p.in.channels / p.groups, group_out,       lanes_for(*s.target, group_out)};
    if (s.problem.op != Operator::pooled_cross_correlation)
        return g;
    const auto looked_at = [](const detail::Axis& axis, int windows) {
        return static_cast<int>(
            std::min(axis.size, (windows - 1) * axis.stride + axis.extent() - axis.begin));
    };
    g.result = output_shape(s.problem);
    g.pool = s.problem.pool_kernel_size;
    g.out.height = looked_at(detail::pool_rows(s.problem), g.result.height);
    g.out.width = looked_at(detail::pool_columns(s.problem), g.result.width);
    g.is_side_by_side =
        s.problem.pool_stride == g.pool && resolved_padding(pooling_part(s.problem)) == Padding(0);
    return g;
}

int tile_outputs(int outputs, int kernel_extent) {
    return kernel_extent > 1 ? outputs : 1;
}

// What a tile is, with so many outputs along each axis that the kernel has more than one element on.
struct Tile {
    Size outputs, points;
    Size count; // of an image
};

Tile tile_of(const Geometry& g, int outputs) {
    const Size kernel = g.problem.kernel_size;
    const Size each{tile_outputs(outputs, kernel.height), tile_outputs(outputs, kernel.width)};
    return {each,
            {each.height + kernel.height - 1, each.width + kernel.width - 1},
            {ceil_div(g.out.height, each.height), ceil_div(g.out.width, each.width)}};
}

bool is_within(const Geometry& g, int outputs) {
    const Size points = tile_of(g, outputs).points;
    return points.height <= most_points && points.width <= most_points;
}

// Whether tiles hold whole windows of the pool.
bool holds_pool(const Geometry& g, int outputs) {
    const Size each = tile_of(g, outputs).outputs;
    return g.is_side_by_side && each.height % g.pool.height == 0 && each.width % g.pool.width == 0;
}

// What a task's scratch may be at most: 2 MiB, or as much as the input and the output of its images, before
// they are pooled: what the two layers have apart from each other.
double most_scratch_bytes(const Geometry& g, int images) {
    const double maps = 4.0 * images *
                        (1.0 * g.problem.in.height * g.problem.in.width * g.problem.in.channels +
                         1.0 * g.out.height * g.out.width * g.out.channels);
    return std::max<double>(2 << 20, maps);
}

double kernel_bytes(const Geometry& g, const Tile& tile) {
    return 4.0 * tile.points.height * tile.points.width * g.group_in * g.problem.out_channels;
}

// A kernel that is transformed before each call is scratch as well.
std::string why_no_room_for_kernel(const Situation& s, const Geometry& g, int outputs) {
    const double bytes = kernel_bytes(g, tile_of(g, outputs)),
                 most = most_scratch_bytes(g, std::max(g.problem.in.batch, 1));
    if (!s.is_packed_in_calls || bytes <= most)
        return "";
    return fmt::format("the kernel, transformed before each call, would take {:.0f} KiB, more than {:.0f}",
                       bytes / 1024, most / 1024);
}

// Windows that cross tiles are pooled where all tiles of an image are in one block.
std::string why_no_pool(const Situation& s, const Geometry& g, int outputs);

std::vector<int> output_choices(const Situation& s) {
    const Geometry g = geometry(s);
    std::vector<int> values;
    for (int outputs = 2; outputs <= 4; ++outputs)
        if (is_within(g, outputs) && why_no_pool(s, g, outputs).empty() &&
            why_no_room_for_kernel(s, g, outputs).empty())
            values.push_back(outputs);
    return values;
}

std::string fits(const Situation& s) {
    const Problem& p = s.problem;
    if (!is_one_sum(p) && p.op != Operator::pooled_cross_correlation)
        return fmt::format("it schedules sums of products with a kernel, not {}", facts(p.op).name);
    if (p.algorithm == Algorithm::exact)
        return "algorithm=exact: transforms round differently from the sum itself";
    const Geometry g = geometry(s);
    if (g.problem.op == Operator::transposed_convolution || g.problem.stride != Size(1))
        return "it schedules convolutions of stride 1";
    if (g.problem.dilation != Size(1))
        return fmt::format("dilation={}x{}: neighbouring outputs share no elements of the input",
                           g.problem.dilation.height, g.problem.dilation.width);
    if (g.problem.kernel_size == Size(1))
        return "kernel_size=1x1: outputs share no elements of the input";
    if (!is_within(g, 2))
        return fmt::format("kernel_size={}x{}: at most {} elements along an axis",
                           g.problem.kernel_size.height, g.problem.kernel_size.width, most_points - 1);
    if (g.pool.height * g.pool.width > max_taps)
        return fmt::format("pool_kernel_size={}x{}: it pools windows of at most {} elements", g.pool.height,
                           g.pool.width, max_taps);
    if (output_choices(s).empty()) {
        const std::string reason = why_no_room_for_kernel(s, g, 2);
        return reason.empty() ? why_no_pool(s, g, 2) : reason;
    }
    if (has_unfolded_gradient(p))
        return fmt::format("padding_mode={}: {}",
                           padding_mode_names[static_cast<std::size_t>(p.padding_mode)], why_not_unfolded);
    if (s.target->is_gpu)
        return fmt::format("target {} has no CPU vectors", s.target->name);
    if (static_cast<std::int64_t>(g.out.height) * g.out.width > (1 << 28))
        return "the output map has more than 2^28 positions";
    if (g.lanes < 4 || g.group_out % g.lanes != 0)
        return fmt::format("a group's {} channels to compute must be a multiple of the vector's {} lanes",
                           g.group_out, std::max(g.lanes, 4));
    return "";
}

std::int64_t registers_used(std::int64_t vectors, std::int64_t tiles) {
    return vectors * tiles + vectors + 1;
}

std::vector<int> vector_choices(const Situation& s) {
    std::vector<int> values;
    const Geometry g = geometry(s);
    for (int v = 1; v <= 4; ++v)
        if (g.group_out % (v * g.lanes) == 0)
            values.push_back(v);
    return values;
}

std::vector<int> tile_choices(const Situation& s) {
    std::vector<int> values;
    for (int t = 1; registers_used(1, t) <= s.target->vector_registers; ++t)
        values.push_back(t);
    return values;
}

// Where an axis has so many tiles, the lengths of the blocks that it can be cut into without more of them.
std::vector<int> even_parts(int tiles) {
    std::vector<int> values;
    for (int parts = tiles; parts >= 1; --parts)
        if (const int length = ceil_div(tiles, parts); values.empty() || values.back() != length)
            values.push_back(length);
    return values;
}

// Tiles of a block: a part of a row, or whole rows.
void add_blocks(std::vector<int>& values, Size count) {
    for (int columns : even_parts(count.width))
        values.push_back(columns);
    for (int rows : even_parts(count.height))
        values.push_back(rows * count.width);
}

std::vector<int> sorted_once(std::vector<int> values) {
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
}

std::vector<int> block_choices(const Situation& s) {
    std::vector<int> values;
    for (int outputs : output_choices(s))
        add_blocks(values, tile_of(geometry(s), outputs).count);
    return sorted_once(std::move(values));
}

std::vector<int> image_choices(const Situation& s) {
    const int batch = s.problem.in.batch;
    return batch == open_batch ? std::vector{1} : divisors(batch);
}

std::vector<int> group_choices(const Situation& s) {
    const Geometry g = geometry(s);
    return divisors(g.problem.out_channels / g.lanes);
}

// Input channels per turn of the innermost loop.
int unroll(const Geometry& g) {
    for (int count : {4, 3, 2})
        if (g.group_in % count == 0)
            return count;
    return 1;
}

// A schedule's blocks, once its knobs are known.
struct Blocks {
    Tile tile;
    int columns, rows, images; // tiles and images of a block
    int block, register_tiles; // channels and tiles of a register tile
    int group;                 // output channels that are summed and transformed together
    bool pools_in_tiles;       // or there is nothing to pool

    int tiles() const { return columns * rows * images; }
    int points() const { return tile.points.height * tile.points.width; }
    // Blocks of an image, at least one.
    Size count() const { return {ceil_div(tile.count.height, rows), ceil_div(tile.count.width, columns)}; }
};

Blocks blocks_of(const Geometry& g, const Knobs& knobs) {
    const Tile tile = tile_of(g, knobs.get("outputs", 2));
    const int tiles = knobs.get("block", 1);
    return {.tile = tile,
            .columns = std::min(tiles, tile.count.width),
            .rows = std::max(tiles / tile.count.width, 1),
            .images = knobs.get("images", 1),
            .block = knobs.get("vectors", 1) * g.lanes,
            .register_tiles = knobs.get("tiles", 1),
            .group = knobs.get("group", 1) * g.lanes,
            .pools_in_tiles = holds_pool(g, knobs.get("outputs", 2))};
}

// Input channels whose part of a block's padded input is stored at a time: as many as leave room in the L1
// cache for the tiles that are made of it.
int padded_channels(const Situation& s, const Geometry& g, const Blocks& b) {
    const int lanes = full_lanes_for(*s.target, g.problem.in.channels);
    const double plane = 4.0 * (b.columns * b.tile.outputs.width + g.problem.kernel_size.width - 1) *
                         (b.rows * b.tile.outputs.height + g.problem.kernel_size.height - 1) * b.images;
    int best = lanes;
    for (int channels = lanes; channels <= g.problem.in.channels; channels += lanes)
        if (g.problem.in.channels % channels == 0 && plane * channels <= s.target->l1_bytes)
            best = channels;
    return best;
}

// Bytes that a task's block keeps: the padded input, transformed tiles, sums, tiles of the output.
double block_bytes(const Situation& s, const Geometry& g, const Blocks& b) {
    const double padded = 1.0 * (b.columns * b.tile.outputs.width + g.problem.kernel_size.width - 1) *
                          (b.rows * b.tile.outputs.height + g.problem.kernel_size.height - 1) * b.images *
                          padded_channels(s, g, b);
    const int outputs = b.tile.outputs.height * b.tile.outputs.width;
    const double row = g.problem.in.channels + b.group + 2.0 * line_floats; // of transformed tiles, of sums
    const int pooled = b.pools_in_tiles ? g.pool.height * g.pool.width : 1;
    return 4.0 * (padded + b.tiles() * (b.points() * row + 1.0 * outputs / pooled * b.group));
}

// Whether groups of channels and those that are summed together begin together.
bool is_whole_groups(const Geometry& g, const Blocks& b) {
    return g.group_out % b.group == 0 || b.group % g.group_out == 0;
}

std::string why_no_pool(const Situation& s, const Geometry& g, int outputs) {
    if (holds_pool(g, outputs))
        return "";
    const Size count = tile_of(g, outputs).count;
    const Blocks b = blocks_of(g, {{"outputs", outputs}, {"block", count.height * count.width}});
    const double bytes = block_bytes(s, g, b);
    if (bytes <= most_scratch_bytes(g, 1))
        return "";
    return fmt::format(
        "windows of the pool cross tiles, and a block of all tiles takes {:.0f} KiB, more than {:.0f}",
        bytes / 1024, most_scratch_bytes(g, 1) / 1024);
}

std::string legal(const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const int outputs = knobs.get("outputs", 2), vectors = knobs.get("vectors", 1),
              tiles = knobs.get("tiles", 1);
    if (outputs >= 2 && outputs <= 4 && is_within(g, outputs) &&
        !why_no_room_for_kernel(s, g, outputs).empty())
        return fmt::format("outputs:{}: {}", outputs, why_no_room_for_kernel(s, g, outputs));
    if (outputs >= 2 && outputs <= 4 && is_within(g, outputs) && !why_no_pool(s, g, outputs).empty())
        return fmt::format("outputs:{}: {}", outputs, why_no_pool(s, g, outputs));
    if (!contains(output_choices(s), outputs))
        return fmt::format("outputs:{}: must be 2 to 4, and with the kernel's {}x{} elements at most {}",
                           outputs, g.problem.kernel_size.height, g.problem.kernel_size.width,
                           output_choices(s).back());
    if (!contains(vector_choices(s), vectors))
        return fmt::format(
            "vectors:{}: must be 1 to 4, and {} lanes each must divide the group's {} channels", vectors,
            g.lanes, g.group_out);
    if (tiles < 1 || registers_used(vectors, tiles) > s.target->vector_registers)
        return fmt::format("tiles:{}: {} vectors x {} tiles need {} vector registers of {} on {}", tiles,
                           vectors, tiles, registers_used(vectors, tiles), s.target->vector_registers,
                           s.target->name);
    const int images = knobs.get("images", 1), group = knobs.get("group", 1);
    if (!contains(image_choices(s), images))
        return fmt::format("images:{}: must divide the batch, and be 1 where that is open", images);
    if (!contains(group_choices(s), group) || group % vectors != 0)
        return fmt::format(
            "group:{}: must divide {} vectors of output channels, and be a multiple of vectors:{}", group,
            g.problem.out_channels / g.lanes, vectors);
    const Blocks b = blocks_of(g, knobs);
    const int block = knobs.get("block", 1);
    if (block < 1 || block > b.tile.count.width * b.tile.count.height ||
        (block > b.tile.count.width && block % b.tile.count.width != 0))
        return fmt::format("block:{}: must be tiles of a row, at most {}, or at most {} such rows", block,
                           b.tile.count.width, b.tile.count.height);
    if (!b.pools_in_tiles && b.count() != Size(1))
        return fmt::format(
            "block:{}: windows of the pool cross tiles, so that it must have all {} of an image", block,
            b.tile.count.height * b.tile.count.width);
    if (images > 1 && b.count() != Size(1))
        return fmt::format("images:{}: only where a block has all {} tiles of an image", images,
                           b.tile.count.height * b.tile.count.width);
    if (b.tiles() < tiles)
        return fmt::format("tiles:{}: a block has only {}", tiles, b.tiles());
    if (!is_whole_groups(g, b))
        return fmt::format("group:{}: {} channels of each of groups={} do not fall together with it", group,
                           g.group_out, g.problem.groups);
    if (block_bytes(s, g, b) > most_scratch_bytes(g, b.images))
        return fmt::format("block:{}: with group:{} it takes {:.0f} KiB, more than {:.0f}", block, group,
                           block_bytes(s, g, b) / 1024, most_scratch_bytes(g, b.images) / 1024);
    return "";
}

// Cycles of an image.
double cycles_of(const Situation& s, const Geometry& g, const Blocks& b) {
    const TargetFacts& t = *s.target;
    const double points = b.points(), channels = g.problem.in.channels, computed = g.problem.out_channels;
    // A step of the sum in a register tile, as in direct sums, and what a register tile pays to begin and
    // end.
    const int vectors = b.block / g.lanes;
    const double multiply_adds = vectors * b.register_tiles;
    const double arithmetic = std::max<double>(multiply_adds / t.fma_per_cycle, t.fma_latency + 1);
    const double loads = (vectors + b.register_tiles) / 2.0;
    const double step = std::max(arithmetic, loads) + 0.1 * loads;
    const double register_tiles = ceil_div(b.tiles(), b.register_tiles) * (computed / b.block);
    const double sums = points * register_tiles * (step * g.group_in + 12);
    // Each element is loaded and stored twice, with two operations in between.
    const double input_lanes = full_lanes_for(t, g.problem.in.channels);
    const double transforms = 3.0 * b.tiles() * points * (channels / input_lanes + computed / g.lanes);
    // What does not stay in the L2 cache comes from behind it, some ten bytes a cycle; a kernel that hardly
    // stays there either, some five.
    const double kernel = kernel_bytes(g, b.tile), block = block_bytes(s, g, b);
    const double input = 4.0 * points * channels * b.tiles(), room = 0.75 * t.l2_bytes;
    const double far_kernel = kernel + block <= room       ? 0
                              : kernel > 16.0 * t.l2_bytes ? kernel / 5
                                                           : kernel / 10;
    const double far_block = block > room ? (2 * (block - room) + input * (computed / b.group)) / 10 : 0;
    const Size count = b.count();
    return (sums + transforms + far_kernel + far_block) * count.height * count.width / b.images;
}

double cost(const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    return cycles_of(s, g, blocks_of(g, knobs));
}

double multiply_adds(const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const Tile tile = tile_of(g, knobs.get("outputs"));
    return 1.0 * tile.points.height * tile.points.width * tile.count.height * tile.count.width * g.group_in *
           g.problem.out_channels;
}

// The value given, or else all that are worth a look.
std::vector<int> open_choices(const Knobs& given, std::string_view name, std::vector<int> choices) {
    return given.has(name) ? std::vector{given.get(name)} : std::move(choices);
}

// The values of a knob beside which all others are open.
struct OpenKnobs {
    std::vector<int> outputs, vectors, tiles, images, groups;
};

// Of all register tiles and groups for the same tiles of a block, the one that costs least.
void search_within(const Situation& s, const Geometry& g, const OpenKnobs& open, Knobs knobs, double& least,
                   Knobs& best) {
    Blocks b = blocks_of(g, knobs);
    for (int vectors : open.vectors)
        for (int tiles : open.tiles)
            for (int group : open.groups) {
                b.block = vectors * g.lanes;
                b.register_tiles = tiles;
                b.group = group * g.lanes;
                if (b.group % b.block != 0 || !is_whole_groups(g, b) || tiles > b.tiles() ||
                    registers_used(vectors, tiles) > s.target->vector_registers)
                    continue;
                const double cycles =
                    block_bytes(s, g, b) > most_scratch_bytes(g, b.images) ? least : cycles_of(s, g, b);
                if (cycles >= least)
                    continue;
                least = cycles;
                knobs.set("vectors", vectors);
                knobs.set("tiles", tiles);
                knobs.set("group", group);
                best = knobs;
            }
}

Knobs defaults(const Situation& s, const Knobs& given) {
    const Geometry g = geometry(s);
    const OpenKnobs open{
        open_choices(given, "outputs", output_choices(s)), open_choices(given, "vectors", vector_choices(s)),
        open_choices(given, "tiles", tile_choices(s)), open_choices(given, "images", image_choices(s)),
        open_choices(given, "group", group_choices(s))};
    Knobs knobs{{"outputs", open.outputs.front()}, {"vectors", open.vectors.front()},
                {"tiles", open.tiles.front()},     {"block", given.get("block", 1)},
                {"images", open.images.front()},   {"group", open.groups.front()}};
    Knobs best = knobs;
    double least = 1e300;
    for (int outputs : open.outputs) {
        std::vector<int> blocks;
        add_blocks(blocks, tile_of(g, outputs).count);
        knobs.set("outputs", outputs);
        for (int block : open_choices(given, "block", std::move(blocks)))
            for (int images : open.images) {
                knobs.set("block", block);
                knobs.set("images", images);
                const Blocks b = blocks_of(g, knobs);
                if ((images == 1 && b.pools_in_tiles) || b.count() == Size(1))
                    search_within(s, g, open, knobs, least, best);
            }
    }
    return best;
}

// A pool behind the sums costs all families about the same. Few summed channels fill no vectors of the
// input's transform. Measured on a Zen 3, 3x3 to 64 channels: from three on 224x224 three times as long as by
// `direct`, from four on 56x56 1.1 times, from eight 0.73 times.
bool is_preferred(const Situation& s) {
    Situation sums = s;
    if (s.problem.op == Operator::pooled_cross_correlation)
        sums.problem = as_convolution(s.problem);
    if (!direct_family.fits(sums).empty())
        return true;
    if (geometry(s).group_in < s.target->lanes())
        return false;
    return cost(s, defaults(s, {})) < 0.9 * direct_family.cost(sums, direct_family.defaults(sums, {}));
}

AlgorithmRequest request(const Situation& s, const Knobs& knobs) {
    const Blocks b = blocks_of(geometry(s), knobs);
    AlgorithmRequest request;
    request.kernel_block = b.block;
    request.winograd = {knobs.get("outputs"), b.columns,       b.rows, b.images,
                        b.group / b.block,    b.pools_in_tiles};
    return request;
}

// A block is one in each direction, although Halide does not see that where the last one is not full.
void bound_block(Halide::Func& stage, const WinogradStages& w, const Blocks& b) {
    stage.bound(w.t, 0, b.tiles()).bound_extent(w.bx, 1).bound_extent(w.by, 1).bound_extent(w.bn, 1);
}

void transform_input(Stages& a, const Situation& s, const Blocks& b, const Halide::LoopLevel& level) {
    WinogradStages& w = a.winograd;
    const Geometry g = geometry(s);
    const int channels = g.problem.in.channels, lanes = full_lanes_for(*s.target, channels);
    Halide::Var chunk("chunk"), vector("vector"), lane("lane");
    w.input.compute_at(level)
        .split(a.c, chunk, vector, padded_channels(s, g, b), Halide::TailStrategy::ShiftInwards)
        .split(vector, vector, lane, lanes)
        .reorder(w.ax, w.ay, lane, vector, w.t, w.bx, w.by, w.bn, chunk)
        .vectorize(lane)
        .unroll(w.ax)
        .unroll(w.ay);
    w.rows.compute_at(w.input, vector)
        .store_in(Halide::MemoryType::Stack)
        .vectorize(a.c, lanes)
        .unroll(w.ax)
        .unroll(a.y);
    a.padded.compute_at(w.input, chunk).vectorize(a.c, lanes, Halide::TailStrategy::ShiftInwards);
    if (s.problem.layout == Layout::nchw)
        a.padded.reorder(a.x, a.c);
}

void multiply(Stages& a, const Situation& s, const Blocks& b, const Knobs& knobs) {
    WinogradStages& w = a.winograd;
    const Geometry g = geometry(s);
    const int lanes = g.lanes;
    Halide::Var co("co"), ci("ci"), tile("tile"), ti("ti");
    w.products.split(a.c, co, ci, b.block)
        .split(w.t, tile, ti, knobs.get("tiles"), Halide::TailStrategy::ShiftInwards)
        .reorder(ci, ti, tile, co, w.ax, w.ay, w.bx, w.by, w.bn)
        .vectorize(ci, lanes)
        .unroll(ci)
        .unroll(ti);
    w.sum.compute_at(w.products, tile).store_in(Halide::MemoryType::Stack);
    w.sum.vectorize(a.c, lanes).unroll(a.c).unroll(w.t);
    w.sum.update()
        .reorder(a.c, w.t, w.channels, w.ax, w.ay)
        .vectorize(a.c, lanes)
        .unroll(a.c)
        .unroll(w.t)
        .unroll(w.channels, unroll(g));
}

// Columns and rows of the operator's output that a block gives.
Size results_of(const Geometry& g, const Blocks& b) {
    if (!b.pools_in_tiles)
        return {g.result.height, g.result.width};
    return {b.rows * b.tile.outputs.height / g.pool.height, b.columns * b.tile.outputs.width / g.pool.width};
}

void apply(Stages& a, const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const Blocks b = blocks_of(g, knobs);
    WinogradStages& w = a.winograd;
    Halide::Var xi("xi"), yi("yi"), ni("ni"), group("group"), ci("ci"), lane("lane"), task("task");
    const auto guard = Halide::TailStrategy::GuardWithIf;
    a.output.bound(a.c, 0, g.problem.out_channels)
        .bound(a.x, 0, g.result.width)
        .bound(a.y, 0, g.result.height);
    const Size results = results_of(g, b);
    a.output.split(a.x, w.bx, xi, results.width, guard)
        .split(a.y, w.by, yi, results.height, guard)
        .split(a.n, w.bn, ni, b.images, guard)
        .split(a.c, group, ci, b.group)
        .split(ci, ci, lane, g.lanes)
        .reorder(lane, ci, xi, yi, ni, group, w.bx, w.by, w.bn)
        .vectorize(lane)
        .never_partition_all(); // or else the last blocks have loop nests and scratch of their own
    for (Halide::Func* stage : {&w.input, &w.products, &w.output})
        bound_block(*stage, w, b);
    // Rows of a power of two would put the elements of a tile, which are used together, into the same few
    // sets of the L1 cache. Measured on a Zen 3, 3x3 64->64 on 56x56: 2.41 of the peak, 2.11 without.
    w.input.bound_storage(a.c, g.problem.in.channels + line_floats);
    w.products.bound_storage(a.c, b.group + line_floats);
    const Size count = b.count();
    Halide::Var block = w.bx;
    if (count != Size(1) || g.problem.in.batch != b.images) {
        a.output.fuse(w.bx, w.by, block).fuse(block, w.bn, task).parallel(task);
        block = task;
    } else {
        a.output.parallel(group);
    }
    transform_input(a, s, b, Halide::LoopLevel(a.output, block));
    w.products.compute_at(a.output, group);
    multiply(a, s, b, knobs);
    w.output.compute_at(a.output, group)
        .reorder(a.x, a.y, a.c, w.t, w.bx, w.by, w.bn)
        .unroll(a.x)
        .unroll(a.y)
        .split(a.c, a.c, lane, g.lanes)
        .reorder(a.x, a.y, lane, a.c)
        .vectorize(lane);
    w.columns.compute_at(w.output, a.c)
        .store_in(Halide::MemoryType::Stack)
        .vectorize(a.c, g.lanes)
        .unroll(w.ax)
        .unroll(a.y);
}

} // namespace

const Family winograd_family = {
    "winograd",
    "convolution of stride 1 by Winograd's algorithm",
    {{"outputs", "rows and columns of the output that a tile gives", output_choices},
     {"vectors", "vectors of output channels in the register tile", vector_choices},
     {"tiles", "tiles in the register tile", tile_choices},
     {"block", "tiles that are transformed together, part of a row or whole rows", block_choices},
     {"images", "images whose tiles make up a block", image_choices},
     {"group", "vectors of output channels that are summed before they are transformed", group_choices}},
    legal,
    defaults,
    fits,
    request,
    apply,
    cost,
    false,
    is_preferred,
    multiply_adds,
};

} // namespace lamina
