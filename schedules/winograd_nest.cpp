// Winograd's algorithm as loops: blocks of tiles of the padded input are transformed, a register tile of
// output channels and tiles is summed over the input channels for each pair of points, and the sums are
// transformed to the output's tiles.
#include "schedules/winograd_blocks.hpp"

namespace lamina::winograd {

namespace {

// Input channels per turn of the innermost loop.
int unroll(const Geometry& g) {
    for (int count : {4, 3, 2})
        if (g.group_in % count == 0)
            return count;
    return 1;
}

// A block is one in each direction, although Halide does not see that where the last one is not full.
void bound_block(Halide::Func& stage, const WinogradStages& w, const Blocks& b) {
    stage.bound(w.t, 0, b.tiles()).bound_extent(w.bx, 1).bound_extent(w.by, 1).bound_extent(w.bn, 1);
}

void transform_input(Stages& a, const Situation& s, const Blocks& b, const Halide::LoopLevel& level,
                     bool is_parallel) {
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
    if (is_parallel)
        w.input.parallel(chunk);
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

// Columns and rows of the operator's output that a tile gives, where it holds whole windows of the pool.
Size results_of_tile(const Geometry& g, const Blocks& b) {
    return {b.tile.outputs.height / g.pool.height, b.tile.outputs.width / g.pool.width};
}

// And a block.
Size results_of(const Geometry& g, const Blocks& b) {
    if (!b.pools_in_tiles)
        return {g.result.height, g.result.width};
    const Size each = results_of_tile(g, b);
    return {b.rows * each.height, b.columns * each.width};
}

// Of a block's results: within it, or within a tile where these hold what is pooled.
struct OutputVars {
    Halide::Var x{"xi"}, y{"yi"}, n{"ni"};
    Halide::Var group{"group"}, c{"ci"}, lane{"lane"}; // of channels; vectors of it; lanes of those
};

// Tiles go to memory right away, among the arithmetic that makes them. Measured on an Emerald Rapids, medians
// of five runs in turns: 3x3 256->256 on 56x56, 2.66 of the peak, and 2.48 from a stage that keeps a group's
// tiles; 64->64 on 28x28, 2.61 and 2.51; on 224x224, 2.11 and 1.78, in another minute 2.19 and 2.18.
void store_tiles(Stages& a, const Geometry& g, const Blocks& b, const OutputVars& v) {
    Halide::Var tx("tx"), ty("ty");
    const Size each = results_of_tile(g, b);
    a.output.split(v.x, tx, v.x, each.width)
        .split(v.y, ty, v.y, each.height)
        .reorder(v.lane, v.x, v.y, v.c, tx, ty, v.n, v.group, a.winograd.bx, a.winograd.by, a.winograd.bn)
        .unroll(v.x)
        .unroll(v.y);
}

// Windows of a pool that cross tiles find them there.
void keep_tiles(Stages& a, const Geometry& g, const OutputVars& v) {
    WinogradStages& w = a.winograd;
    Halide::Var lane("lane");
    a.output.reorder(v.lane, v.c, v.x, v.y, v.n, v.group, w.bx, w.by, w.bn);
    w.output.compute_at(a.output, v.group)
        .reorder(a.x, a.y, a.c, w.column, w.row, a.n)
        .unroll(a.x)
        .unroll(a.y)
        .split(a.c, a.c, lane, g.lanes)
        .reorder(a.x, a.y, lane, a.c)
        .vectorize(lane);
}

void transform_output(Stages& a, const Geometry& g, const Blocks& b, const OutputVars& v) {
    WinogradStages& w = a.winograd;
    if (b.pools_in_tiles)
        store_tiles(a, g, b, v);
    else
        keep_tiles(a, g, v);
    w.columns
        .compute_at(b.pools_in_tiles ? Halide::LoopLevel(a.output, v.c) : Halide::LoopLevel(w.output, a.c))
        .store_in(Halide::MemoryType::Stack)
        .vectorize(a.c, g.lanes)
        .unroll(w.ax)
        .unroll(a.y);
}

} // namespace

void apply(Stages& a, const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const Blocks b = blocks_of(g, knobs);
    WinogradStages& w = a.winograd;
    const OutputVars v;
    Halide::Var task("task");
    const auto guard = Halide::TailStrategy::GuardWithIf;
    a.output.bound(a.c, 0, g.problem.out_channels)
        .bound(a.x, 0, g.result.width)
        .bound(a.y, 0, g.result.height);
    const Size results = results_of(g, b);
    a.output.split(a.x, w.bx, v.x, results.width, guard)
        .split(a.y, w.by, v.y, results.height, guard)
        .split(a.n, w.bn, v.n, b.images, guard)
        .split(a.c, v.group, v.c, b.group)
        .split(v.c, v.c, v.lane, g.lanes)
        .vectorize(v.lane)
        .never_partition_all(); // or else the last blocks have loop nests and scratch of their own
    transform_output(a, g, b, v);
    bound_block(w.input, w, b);
    bound_block(w.products, w, b);
    // Rows of a power of two would put the elements of a tile, which are used together, into the same few
    // sets of the L1 cache. Measured on a Zen 3, 3x3 64->64 on 56x56: 2.41 of the peak, 2.11 without.
    w.input.bound_storage(a.c, g.problem.in.channels + line_floats);
    w.products.bound_storage(a.c, b.group + line_floats);
    const Sharing sharing = sharing_of(g, b);
    Halide::Var block = w.bx;
    if (b.count() != Size(1) || g.problem.in.batch != b.images) {
        a.output.fuse(w.bx, w.by, block).fuse(block, w.bn, task);
        block = task;
        if (sharing.are_blocks_tasks || g.problem.in.batch == open_batch)
            a.output.parallel(task);
    }
    if (sharing.are_groups_tasks)
        a.output.parallel(v.group);
    transform_input(a, s, b, Halide::LoopLevel(a.output, block), sharing.are_groups_tasks);
    w.products.compute_at(a.output, v.group);
    multiply(a, s, b, knobs);
}

} // namespace lamina::winograd
