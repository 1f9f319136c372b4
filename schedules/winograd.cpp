// Winograd's algorithm for convolutions of stride 1: its knobs, what schedules cost, and the default.
// winograd_blocks.hpp says how maps are cut, winograd_nest.cpp has the loops.
#include "schedules/winograd_blocks.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lamina {

namespace {

using namespace winograd;

constexpr int max_taps = 49; // of a pool's window, which is unrolled

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
    if (std::string reason = why_not_cpu_sums(s); !reason.empty())
        return reason;
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

std::vector<int> ahead_choices(const Situation&) {
    return {0, 1};
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
    if (const int ahead = knobs.get("ahead", 0); ahead != 0 && ahead != 1)
        return fmt::format("ahead:{}: must be 0 or 1", ahead);
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
    if (block_bytes(s, g, b) > most_block_bytes(g, b.images))
        return fmt::format("block:{}: with group:{} it takes {:.0f} KiB, more than {:.0f}", block, group,
                           block_bytes(s, g, b) / 1024, most_block_bytes(g, b.images) / 1024);
    return "";
}

// Whether each block of tiles gets the kernel from beyond the L2 cache.
bool is_kernel_far(const Situation& s, const Geometry& g, const Blocks& b) {
    return kernel_bytes(g, b.tile) + block_bytes(s, g, b) > s.target->l2_bytes;
}

// Cycles of an image.
double cycles_of(const Situation& s, const Geometry& g, const Blocks& b, bool is_ahead) {
    const TargetFacts& t = *s.target;
    const double points = b.points(), channels = g.problem.in.channels, computed = g.problem.out_channels;
    // A step of the sum in a register tile, as in direct sums, and what a register tile pays to begin and
    // end.
    const int vectors = b.block / g.lanes;
    const double multiply_adds = vectors * b.register_tiles;
    const double arithmetic = std::max<double>(multiply_adds / t.fma_per_cycle, t.fma_latency + 1);
    const double loads = (vectors + b.register_tiles) / 2.0;
    // More tiles than the L1 cache has ways for come late. Measured on a Zen 5, 64->128 on 112x112: one
    // vector of 28 tiles 2.41 of the peak, two of 14 at 2.73.
    const double late = 0.2 * std::max(0, b.register_tiles - 16);
    // Instructions that do not take a value from memory for all lanes have it in a register: for one vector
    // LLVM loads those of many tiles early, and spills. With AVX2, 64->64 on 28x28: one vector of 14
    // tiles 2.07 of the peak, of ten 2.13, of seven 2.39.
    const double spilled =
        vectors == 1 && t.vector_registers <= 16 ? 0.2 * std::max(0, b.register_tiles - 7) : 0;
    const double near = std::max(arithmetic, loads), far = std::max(near, kernel_cycles(b.block));
    // A block's first tile has the kernel from behind the L1 cache in any case.
    const int turns = ceil_div(b.tiles(), b.register_tiles);
    const double far_part = stays_in_l1(t, 4.0 * g.group_in * b.block) ? 1.0 / turns : 1;
    const double step = near + (far - near) * far_part + 0.1 * loads + late + spilled;
    const double register_tiles = turns * (computed / b.block);
    const double sums = points * register_tiles * (step * g.group_in + 12);
    // Each element is loaded and stored, with operations along both axes in between.
    const double input_lanes = full_lanes_for(t, g.problem.in.channels);
    const double transforms = 3.0 * b.tiles() * points * (channels / input_lanes + computed / g.lanes);
    // What does not stay in the L2 cache comes from behind it: of a kernel, of which each element is used at
    // once, some ten bytes a cycle, or five where it hardly stays there either, most of it behind the sums
    // where it is fetched ahead; of a block some twenty. Of 375 schedules of ten layers on a Zen 5, which
    // fetched nothing, this chose ones that took 1.04 times as long as the best, as a geomean; of eleven
    // layers on an Emerald Rapids, fetched ahead, the default takes 0.995 times as long as the best of one
    // schedule for each block.
    const double kernel = kernel_bytes(g, b.tile), block = block_bytes(s, g, b);
    const double input = 4.0 * points * channels * b.tiles(), room = t.l2_bytes;
    const double way = !is_kernel_far(s, g, b) ? 0 : kernel / (kernel > 16.0 * t.l2_bytes ? 5 : 10);
    const double far_kernel = is_ahead ? std::max(0.3 * way, way - sums) : way;
    const double far_block = block > room ? (2 * (block - room) + input * (computed / b.group)) / 20 : 0;
    // Every group has the block's transformed tiles anew, from the L2 cache mostly behind the sums. Measured
    // on a Zen 4 with AVX2, 3x3: 64->64 on 14x14 and 128->128 on 56x56 by groups of four vectors rather than
    // two 0.97 of the time, 37 bytes a cycle; with larger blocks, on 28x28, 70 to 150.
    const double near_block = stays_in_l1(t, block) ? 0 : input * (computed / b.group) / 64;
    const Size count = b.count();
    return (sums + transforms + far_kernel + near_block + far_block) * count.height * count.width / b.images;
}

double cost(const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    return cycles_of(s, g, blocks_of(g, knobs), knobs.get("ahead") != 0);
}

double multiply_adds(const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const Tile tile = tile_of(g, knobs.get("outputs"));
    return 1.0 * tile.points.height * tile.points.width * tile.count.height * tile.count.width * g.group_in *
           g.problem.out_channels;
}

// The values of a knob beside which all others are open.
struct OpenKnobs {
    std::vector<int> outputs, vectors, tiles, images, groups;
};

// Of all register tiles and groups for the same tiles of a block, the one that costs least.
void search_within(const Situation& s, const Geometry& g, const OpenKnobs& open, Knobs knobs, double& least,
                   Knobs& best) {
    Blocks b = blocks_of(g, knobs);
    const double most_bytes = most_block_bytes(g, std::max(g.problem.in.batch, 1));
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
                    cycles_of(s, g, b, knobs.get("ahead") != 0) * worth_of_tasks(sharing_of(g, b).tasks());
                if (cycles >= least || block_bytes(s, g, b) > most_block_bytes(g, b.images) ||
                    bytes_of_two(s, g, b) > most_bytes)
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
                {"images", open.images.front()},   {"group", open.groups.front()},
                {"ahead", given.get("ahead", 1)}};
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
    if (!given.has("ahead") && !is_kernel_far(s, g, blocks_of(g, best)))
        best.set("ahead", 0);
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
    if (knobs.get("ahead") != 0)
        request.prefetch_tiles = ceil_div(b.tiles(), b.register_tiles);
    request.winograd = {knobs.get("outputs"), b.columns,       b.rows, b.images,
                        b.group / b.block,    b.pools_in_tiles};
    return request;
}

} // namespace

const Family winograd_family = {
    .name = "winograd",
    .meaning = "convolution of stride 1 by Winograd's algorithm",
    .knobs = {{"outputs", "rows and columns of the output that a tile gives", output_choices},
              {"vectors", "vectors of output channels in the register tile", vector_choices},
              {"tiles", "tiles in the register tile", tile_choices},
              {"block", "tiles that are transformed together, part of a row or whole rows", block_choices},
              {"images", "images whose tiles make up a block", image_choices},
              {"group", "vectors of output channels that are summed before they are transformed",
               group_choices},
              {"ahead", "1: the next block's kernel is fetched while this one is computed", ahead_choices}},
    .legal = legal,
    .defaults = defaults,
    .fits = fits,
    .request = request,
    .apply = apply,
    .cost = cost,
    .is_preferred = is_preferred,
    .computes_once = true,
    .multiply_adds = multiply_adds,
};

} // namespace lamina
