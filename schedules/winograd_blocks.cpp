#include "schedules/winograd_blocks.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lamina::winograd {

namespace {

int tile_outputs(int outputs, int kernel_extent) {
    return kernel_extent > 1 ? outputs : 1;
}

// Whether tiles hold whole windows of the pool.
bool holds_pool(const Geometry& g, int outputs) {
    const Size each = tile_of(g, outputs).outputs;
    return g.is_side_by_side && each.height % g.pool.height == 0 && each.width % g.pool.width == 0;
}

// What two threads keep that compute groups of a block with all of an image's tiles: those are theirs
// together, transformed once, and each has the rest for itself.
double shared_block_bytes(const Situation& s, const Geometry& g, const Blocks& b) {
    const double transformed = 4.0 * b.tiles() * b.points() * (g.problem.in.channels + 1.0 * line_floats);
    return 2 * block_bytes(s, g, b) - transformed;
}

} // namespace

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

double most_block_bytes(const Geometry& g, int images) {
    return most_scratch_bytes(images * (image_elements(g.problem.in) + image_elements(g.result)));
}

double kernel_bytes(const Geometry& g, const Tile& tile) {
    return 4.0 * tile.points.height * tile.points.width * g.group_in * g.problem.out_channels;
}

std::string why_no_room_for_kernel(const Situation& s, const Geometry& g, int outputs) {
    const double bytes = kernel_bytes(g, tile_of(g, outputs)),
                 most = most_block_bytes(g, std::max(g.problem.in.batch, 1));
    if (!s.is_packed_in_calls || bytes <= most)
        return "";
    return fmt::format("the kernel, transformed before each call, would take {:.0f} KiB, more than {:.0f}",
                       bytes / 1024, most / 1024);
}

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

double block_bytes(const Situation& s, const Geometry& g, const Blocks& b) {
    const double padded = 1.0 * (b.columns * b.tile.outputs.width + g.problem.kernel_size.width - 1) *
                          (b.rows * b.tile.outputs.height + g.problem.kernel_size.height - 1) * b.images *
                          padded_channels(s, g, b);
    const double row = g.problem.in.channels + b.group + 2.0 * line_floats; // of transformed tiles, of sums
    const int outputs = b.pools_in_tiles ? 0 : b.tile.outputs.height * b.tile.outputs.width;
    return 4.0 * (padded + b.tiles() * (b.points() * row + 1.0 * outputs * b.group));
}

// Threads keep less, and share it more evenly, where they go through few blocks together: each reads all of
// the transformed tiles, but its own groups' part of the kernel alone. Measured on a Zen 5 with two threads:
// 3x3 256->256 on 56x56, two blocks of four groups, 2.12 ms and 6.6 MiB; as tasks 2.35 ms and 10.2 MiB. By
// two groups on 112x112x128 they take longer, 2.6 ms and 2.4 ms. Transformed tiles come from other cores,
// which few channels that are computed do not hide: on a Zen 4 with AVX2, 64->64 on 56x56, seven blocks of
// four groups, 0.64 ms and up to 1.2 together; as tasks 0.47.
Sharing sharing_of(const Geometry& g, const Blocks& b) {
    const Size count = b.count();
    const int blocks = count.height * count.width * ceil_div(std::max(g.problem.in.batch, 1), b.images),
              groups = g.problem.out_channels / b.group;
    constexpr int hiding_channels = 256;
    const bool is_together = groups >= 4 && blocks < 8 && g.problem.out_channels >= hiding_channels;
    return {blocks, groups, blocks > 1 && !is_together, groups > 1 && needs_inner_tasks(blocks, 1)};
}

double bytes_of_two(const Situation& s, const Geometry& g, const Blocks& b) {
    const Sharing sharing = sharing_of(g, b);
    return sharing.are_blocks_tasks   ? 2 * block_bytes(s, g, b)
           : sharing.are_groups_tasks ? shared_block_bytes(s, g, b)
                                      : block_bytes(s, g, b);
}

bool is_whole_groups(const Geometry& g, const Blocks& b) {
    return g.group_out % b.group == 0 || b.group % g.group_out == 0;
}

std::string why_no_pool(const Situation& s, const Geometry& g, int outputs) {
    if (holds_pool(g, outputs))
        return "";
    const Size count = tile_of(g, outputs).count;
    const Blocks b = blocks_of(g, {{"outputs", outputs}, {"block", count.height * count.width}});
    const double bytes = block_bytes(s, g, b);
    if (bytes <= most_block_bytes(g, 1))
        return "";
    return fmt::format(
        "windows of the pool cross tiles, and a block of all tiles takes {:.0f} KiB, more than {:.0f}",
        bytes / 1024, most_block_bytes(g, 1) / 1024);
}

} // namespace lamina::winograd
