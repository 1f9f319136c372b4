// The gradient of a kernel: one register tile of output channels x input channels of one of its elements,
// summed over a strip of windows while it stays in registers. Both maps are stored strip by strip with a
// tile's channels together, so that a tile reads contiguous memory.
#include "schedules/nests.hpp"
#include "schedules/window_sweep.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lamina {

namespace {

struct Geometry {
    int in, out; // channels: input channels of a group, output channels
    int group_out;
    int lanes;
    bool is_depthwise;
    bool has_row; // a tile has a row of the kernel in the place of input channels, of which there is one
    Shape windows;
    Size reach; // rows and columns of the other map, with its padding where that is not left out
};

Geometry geometry(const Situation& s) {
    const Problem p = as_pointwise(s.problem);
    const bool is_transposed = detail::is_transposed(p.op);
    const int in = p.in.channels / p.groups;
    const int group_out = p.out_channels / p.groups;
    const bool is_depthwise = in == 1 && group_out == 1;
    const Shape out = output_shape(p);
    const Shape &slid = is_transposed ? out : p.in, &windows = is_transposed ? p.in : out;
    const bool skips_padding = in != 1 && p.padding_mode == PaddingMode::zeros;
    return {in,
            p.out_channels,
            group_out,
            full_lanes_for(*s.target, is_depthwise ? p.out_channels : group_out),
            is_depthwise,
            in == 1,
            windows,
            skips_padding ? Size(slid.height, slid.width)
                          : padded_reach(window_layer(p), {windows.height, windows.width})};
}

std::string fits(const Situation& s) {
    const Problem p = as_pointwise(s.problem);
    if (facts(p.op).gradient != Gradient::kernel)
        return fmt::format("it schedules gradients of kernels, not {}", facts(s.problem.op).name);
    if (s.target->is_gpu)
        return fmt::format("target {} has no CPU vectors", s.target->name);
    const Geometry g = geometry(s);
    if (p.groups > 1 && !g.is_depthwise && g.group_out % g.lanes != 0)
        return fmt::format(
            "groups={}: a group's {} output channels must be a multiple of the vector's {} lanes", p.groups,
            g.group_out, g.lanes);
    if (g.windows.height * g.windows.width == 1 && p.in.batch == 1)
        return "one window: there is nothing to sum in registers, and storing the maps takes longer";
    if (g.lanes < 4)
        return fmt::format("out_channels={}: fewer than a vector of 4", p.out_channels);
    return "";
}

// Accumulators, the values of the operand that has fewer of them in the tile, and one of the other.
std::int64_t registers_used(const Situation& s, int vectors, int channels) {
    const int width = as_pointwise(s.problem).kernel_size.width;
    return geometry(s).has_row ? vectors * (width + 1) + 1 : tile_registers(vectors, channels);
}

std::vector<int> vector_choices(const Situation& s) {
    std::vector<int> values;
    const Geometry g = geometry(s);
    const int group = g.is_depthwise ? g.out : g.group_out;
    for (int v = 1; v <= 4 && (v - 1) * g.lanes < group; ++v)
        if (s.problem.groups == 1 || g.is_depthwise || group % (v * g.lanes) == 0)
            values.push_back(v);
    return values;
}

std::vector<int> channel_choices(const Situation& s) {
    std::vector<int> values;
    const Geometry g = geometry(s);
    for (int c = 1; c <= g.in && c + 2 <= s.target->vector_registers; ++c)
        if (s.problem.groups == 1 || g.in % c == 0)
            values.push_back(c);
    return values;
}

std::vector<int> row_choices(const Situation& s) {
    return even_parts(geometry(s).windows.height);
}

std::vector<int> part_choices(const Situation& s) {
    return gradient_part_choices(geometry(s).windows.height);
}

std::vector<int> image_choices(const Situation& s) {
    return as_pointwise(s.problem).in.batch > 1 ? std::vector{0, 1} : std::vector{0};
}

// Whether a window is one position, so that what no window looks at is not stored either.
bool is_pointwise(const Situation& s) {
    const Problem p = as_pointwise(s.problem);
    const Padding padding = resolved_padding(p);
    return p.kernel_size.height * p.kernel_size.width == 1 && padding.top == 0 && padding.bottom == 0 &&
           padding.left == 0 && padding.right == 0;
}

// Whether the input is read as it is: where a position has fewer channels than a vector, as images have, or
// one row of windows after another, each of a position of so few channels that a row of them stays in the L1
// cache and no two positions are as far apart as lines that drive each other out. Measured on a Zen 3: 1x1
// 32->16 of 112x112 at 0.78 of the peak, and 0.60 with stored maps; 1x1 512->128 of 28x28 at 0.68, and 0.83.
bool reads_in_place(const Situation& s, int rows) {
    constexpr int most_channels = 2 * line_floats;
    const Problem& p = s.problem;
    if (detail::is_transposed(p.op) || p.groups != 1 || p.layout != Layout::nhwc || takes_slope(p))
        return false;
    const int channels = as_pointwise(p).in.channels;
    if (is_pointwise(s))
        return rows == 1 && channels <= most_channels;
    return channels > 1 && channels <= 4 && p.padding_mode == PaddingMode::zeros;
}

std::int64_t kernel_bytes(const Situation& s) {
    return 4 * kernel_operand(as_pointwise(s.problem)).elements();
}

// Whether memory is written in order, output channels first. Where the last block is cut, the loop over
// blocks has a part for it, and is better outside, unless sums are so short that the way of results is all
// that counts. Measured on an Emerald Rapids: dense 4096->1000 with eight images, 10 GFLOP/s out of order and
// 23 in order. Nor is it where the results stay in the cache, and the outputs' map is the larger one: tasks
// then store it each for itself, instead of reading what other cores have stored. Measured on two threads of
// a Zen 4 with AVX2: 1x1 64->256 on 56x56 0.98 and 0.78 ms, 128->512 on 28x28 0.79 and 0.70.
bool is_in_order(const Situation& s, int block) {
    constexpr int short_sum = 16;
    const Geometry g = geometry(s);
    const int terms = g.windows.height * g.windows.width * std::max(s.problem.in.batch, 1);
    const bool stays_near = kernel_bytes(s) <= s.target->l2_bytes / 2;
    return terms <= short_sum || (g.out % block == 0 && !(stays_near && is_pointwise(s) && g.out > g.in));
}

// Rows of the map that so many rows of windows run over.
int reach_of(const Situation& s, int rows) {
    const Problem p = as_pointwise(s.problem);
    return std::min(geometry(s).reach.height, padded_reach(window_layer(p), {rows, 1}).height);
}

// Bytes of both maps that are stored for a strip.
std::int64_t stored_bytes(const Situation& s, int rows, bool has_all_images) {
    const Problem p = as_pointwise(s.problem);
    const Geometry g = geometry(s);
    const std::int64_t images = has_all_images ? p.in.batch : 1;
    const int in_channels = p.in.channels, reach = reach_of(s, rows);
    const bool is_transposed = detail::is_transposed(p.op);
    const std::int64_t windows = static_cast<std::int64_t>(rows) * g.windows.width,
                       under = is_pointwise(s) ? windows : static_cast<std::int64_t>(reach) * g.reach.width;
    return 4 * images *
           (windows * (is_transposed ? in_channels : g.out) + under * (is_transposed ? g.out : in_channels));
}

// Fewer strips save loads and stores of the kernel's gradient, one a strip; no more scratch is worth that
// than any kernel may take.
std::string legal(const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const int vectors = knobs.get("vectors", 1), channels = knobs.get("channels", 1),
              rows = knobs.get("rows", g.windows.height), images = knobs.get("images", 0);
    if (!contains(vector_choices(s), vectors))
        return fmt::format(
            "vectors:{}: must be 1 to 4, and {} lanes each must begin within a group's {} output channels",
            vectors, g.lanes, g.is_depthwise ? g.out : g.group_out);
    if (!contains(channel_choices(s), channels))
        return fmt::format(
            "channels:{}: must be 1 to {}, and divide a group's {} input channels where there are "
            "several groups",
            channels, channel_choices(s).back(), g.in);
    if (registers_used(s, vectors, channels) > s.target->vector_registers &&
        !(g.has_row && vectors == 1)) // a long row of a kernel needs more in any case
        return fmt::format("channels:{}: {} vectors x {} channels need {} vector registers of {} on {}",
                           channels, vectors, channels, registers_used(s, vectors, channels),
                           s.target->vector_registers, s.target->name);
    if (!contains(image_choices(s), images))
        return fmt::format("images:{}: must be 0 or 1, and 0 where the batch is open or one image", images);
    if (std::string reason =
            why_not_gradient_parts(g.windows.height, rows, knobs.get("parts", 1), kernel_bytes(s));
        !reason.empty())
        return reason;
    if (const std::int64_t bytes = stored_bytes(s, rows, images != 0);
        bytes > small_scratch_bytes && (rows > 1 || images != 0))
        return fmt::format(
            "rows:{} images:{}: the maps of such a strip take {} KiB of scratch, and at most {} are "
            "spent on more than one row of one image",
            rows, images, bytes >> 10, small_scratch_bytes >> 10);
    return "";
}

// Cycles per multiply-add vector: waste in both directions, two loads a cycle, and the latency of few
// accumulators, which as many as hide it do not hide where loads come from the L2 cache, as they do where a
// tile's part of a strip does not stay in the L1 cache. Measured on a Zen 5: 3x3 64->64 on 56x56 with AVX2,
// ten accumulators 0.90 of the peak, twelve 0.98; 7x7 3->64 by strides of two with AVX-512, whose tiles have
// four vectors and three channels, 0.86 from the L2 cache and 0.98 from the L1 cache.
double tile_cost(const Situation& s, int vectors, int channels, bool is_beyond_l1) {
    constexpr double l2_bytes_per_cycle = 38;
    const Geometry g = geometry(s);
    const double waste = static_cast<double>(ceil_div(g.in, channels)) * channels / g.in *
                         ceil_div(g.out, vectors * g.lanes) * vectors * g.lanes / g.out;
    const int width = g.has_row ? as_pointwise(s.problem).kernel_size.width : channels;
    const double multiply_adds = vectors * width;
    const double arithmetic =
        std::max<double>(multiply_adds / s.target->fma_per_cycle, s.target->fma_latency + 1.4);
    const double loads = (g.is_depthwise ? vectors * (width + 1) : vectors + width) / 2.0;
    const double far = is_beyond_l1 ? 4.0 * vectors * g.lanes / l2_bytes_per_cycle : 0;
    return waste * (std::max({arithmetic, loads, far}) + 0.1 * loads + 0.06 * far) / multiply_adds;
}

// Strips of a call, an open batch counted as one image.
double strip_count(const Situation& s, const Knobs& knobs) {
    const double images = knobs.get("images") != 0 ? 1 : std::max(s.problem.in.batch, 1);
    return images * ceil_div(geometry(s).windows.height, knobs.get("rows"));
}

// Cycles of all multiply-adds of a call, an open batch counted as one image.
double least_cycles(const Situation& s) {
    const double multiply_adds = static_cast<double>(operation_count(as_pointwise(s.problem))) / 2;
    return multiply_adds / geometry(s).lanes / s.target->fma_per_cycle;
}

// Whether threads help with a strip.
bool is_worth_threads(const Situation& s, const Knobs& knobs) {
    return least_cycles(s) / strip_count(s, knobs) > worth_threads;
}

// What tasks are made of: blocks of channels that each read a part of one map that no other one reads.
struct TaskBlocks {
    bool has_order; // is_in_order()
    int near, far;  // blocks of the map that is read by all, and of the other one

    int count() const { return near * far; }
};

TaskBlocks task_blocks(const Situation& s, int vectors, int channels) {
    const Geometry g = geometry(s);
    const int block = vectors * g.lanes, of_out = ceil_div(g.out, block), of_in = ceil_div(g.in, channels);
    return is_in_order(s, block) ? TaskBlocks{true, of_out, of_in} : TaskBlocks{false, of_in, of_out};
}

// Blocks that make enough tasks of a strip by themselves.
constexpr int enough_tasks = 8;

// Where blocks are few, or threads would begin and end with little between, parts of the rows are tasks, if
// what each has to do is worth one. (3x3 32->32 on 63x63 by strides of three, Zen 5 with AVX2, two threads:
// 57 us by eleven blocks, 40 us by two parts.)
std::vector<int> parts_for(const Situation& s, int vectors, int channels) {
    if (task_blocks(s, vectors, channels).far >= enough_tasks && least_cycles(s) > 20 * worth_threads)
        return {1};
    return gradient_parts_for(*s.target, geometry(s).windows.height, least_cycles(s), kernel_bytes(s));
}

// Cycles of a call, an open batch counted as one image: the tiles' arithmetic, more where a tile's part of a
// strip does not stay in the L1 cache; loading and storing the tiles of every strip, and beginning its loops;
// storing the maps; and bytes from beyond the L2 cache: of the kernel's gradient for each strip, about eight
// a cycle, and three out of order; of stored maps that do not stay there, written and read; and of a strip's
// map for each block of the other one's channels, about sixteen.
double cost(const Situation& s, const Knobs& knobs) {
    const Problem p = as_pointwise(s.problem);
    const Geometry g = geometry(s);
    const int vectors = knobs.get("vectors"), channels = knobs.get("channels"), rows = knobs.get("rows");
    const int batch = std::max(p.in.batch, 1), images = knobs.get("images") != 0 ? batch : 1;
    const int block = vectors * g.lanes;
    const double l2 = s.target->l2_bytes;
    const double strips = strip_count(s, knobs);
    const double positions = static_cast<double>(rows) * g.windows.width * images;
    const double reach =
        static_cast<double>(g.reach.height) * g.reach.width * images * rows / g.windows.height;
    const double under = is_pointwise(s) ? positions : reach;
    const double tile_bytes = 4 * (positions * block + under * (g.is_depthwise ? block : channels));
    const double arithmetic = static_cast<double>(operation_count(p)) * batch / std::max(p.in.batch, 1) / 2 /
                              g.lanes *
                              tile_cost(s, vectors, channels, tile_bytes > s.target->l1_bytes * 0.8);
    const double storing = reads_in_place(s, rows)
                               ? 0
                               : strips * (under * p.in.channels / (g.is_depthwise ? g.lanes : channels) * 2 +
                                           positions * g.out / g.lanes);
    const double kernel = static_cast<double>(kernel_operand(p).elements());
    const TaskBlocks blocks = task_blocks(s, vectors, channels);
    const auto stored = static_cast<double>(stored_bytes(s, rows, images > 1));
    const double streamed = 4 * (blocks.has_order ? positions * g.out : under * p.in.channels);
    const double far = 8 * kernel * (4 * kernel > l2 * 0.5 ? strips : 1) / (blocks.has_order ? 8 : 3) +
                       strips * (stored > l2 * 0.8 ? 2 * stored : 0) / 8 +
                       strips * streamed * (streamed > l2 && !g.is_depthwise ? blocks.far : 1) / 16;
    const int parts = knobs.get("parts");
    const double adding = kernel / g.lanes * (g.out % block == 0 || parts > 1 ? 3 : 12); // or masked stores
    const double beginning =
        parts > 1 ? 20.0 * blocks.count() * p.kernel_size.height * p.kernel_size.width : 1500;
    return arithmetic + strips * (adding + beginning) + storing + far +
           (parts > 1 ? parts * kernel / g.lanes : 0);
}

// How much longer a call takes for what its tasks do not share evenly: a single one's threads have nothing to
// do; the longest part is as many strips as the others or more. Elements of a window are tasks as well.
double unevenness(const Situation& s, const Knobs& knobs) {
    const Size kernel = as_pointwise(s.problem).kernel_size;
    const int height = geometry(s).windows.height, rows = knobs.get("rows"), parts = knobs.get("parts");
    if (parts > 1)
        return gradient_part_unevenness(height, rows, parts);
    const bool is_single_task = task_blocks(s, knobs.get("vectors"), knobs.get("channels")).count() == 1 &&
                                kernel.height * kernel.width == 1;
    return is_single_task ? worth_of_tasks(1) : 1;
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
        for (int channels : open_choices(given, "channels", channel_choices(s)))
            for (int rows : open_choices(given, "rows", row_choices(s)))
                for (int images : open_choices(given, "images", image_choices(s)))
                    for (int parts : open_choices(given, "parts", parts_for(s, vectors, channels)))
                        consider({{"vectors", vectors},
                                  {"channels", channels},
                                  {"rows", rows},
                                  {"images", images},
                                  {"parts", parts}});
    return best;
}

AlgorithmRequest request(const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    return {.kernel_block = knobs.get("vectors") * g.lanes,
            .window = {.rows = knobs.get("rows"),
                       .has_all_images = knobs.get("images") != 0,
                       .skips_padding = !g.has_row,
                       .channels = reads_in_place(s, knobs.get("rows")) ? 0 : knobs.get("channels"),
                       .parts = knobs.get("parts")}};
}

// A map that is stored, in tasks of rows of windows: all of its blocks, or of one that is not full the
// channels that are some.
void store_rows(const Stages& a, Halide::Func& map, bool are_some, const Geometry& g, bool is_parallel) {
    const std::vector<Halide::Var> args = map.args(); // i, x, y, n, block
    Halide::Stage definition = are_some ? Halide::Stage(map.update()) : Halide::Stage(map);
    if (are_some) {
        const Halide::RVar channel = map.rvars()[0], vector("vector"), lane("lane");
        definition.reorder(channel, args[4], args[1], args[2], args[3])
            .split(channel, vector, lane, g.lanes, Halide::TailStrategy::GuardWithIf)
            .vectorize(lane)
            .unroll(vector);
    } else {
        definition.reorder(args[0], args[4], args[1], args[2], args[3]).vectorize(args[0]);
    }
    Halide::Var row = args[2]; // of windows
    if (a.is_linear) {
        row = Halide::Var("row");
        definition.split(args[1], row, args[1], g.windows.width);
    }
    if (is_parallel)
        definition.parallel(row);
}

void apply(Stages& a, const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const int block = knobs.get("vectors") * g.lanes;
    const bool has_strips = a.strips.defined(), has_parts = a.parts.defined(),
               has_taps = a.output.dimensions() == 4;
    Halide::Var co("co"), ci("ci"), outer("do"), inner("di"), task("task");
    a.output.bound(a.d, 0, g.out).bound(a.c, 0, g.in);
    if (has_parts) // which have room for whole blocks
        a.parts.compute_root().bound(a.d, 0, ceil_div(g.out, block) * block).bound(a.c, 0, g.in);
    for (Halide::Func* each : {&a.output, &a.parts})
        if (each->defined() && has_taps)
            each->bound(a.x, 0, s.problem.kernel_size.width).bound(a.y, 0, s.problem.kernel_size.height);
    Halide::Func& gradient = has_parts ? a.parts : a.output;
    if (has_strips)
        gradient.vectorize(a.d, g.lanes, Halide::TailStrategy::GuardWithIf);
    if (has_parts)
        a.output.vectorize(a.d, g.lanes, channel_tail(g.out, g.lanes));
    else if (has_strips)
        a.output.parallel(a.c);
    Halide::Stage tiles = has_strips ? Halide::Stage(gradient.update()) : Halide::Stage(gradient);
    const bool is_whole = has_parts || g.out % block == 0;
    tiles
        .split(a.d, outer, inner, block,
               is_whole ? Halide::TailStrategy::RoundUp : Halide::TailStrategy::Predicate)
        .split(a.c, co, ci, knobs.get("channels"), Halide::TailStrategy::GuardWithIf);
    std::vector<Halide::VarOrRVar> order{inner, ci};
    if (has_taps)
        order.insert(order.end(), {a.x, a.y});
    const TaskBlocks blocks = task_blocks(s, knobs.get("vectors"), knobs.get("channels"));
    const bool has_order = blocks.has_order;
    const Halide::Var &near = has_order ? outer : co, &far = has_order ? co : outer;
    order.insert(order.end(), {near, far});
    if (has_strips)
        order.insert(order.end(), {a.strips[0], a.strips[1]});
    if (has_parts)
        order.emplace_back(a.parts.args().back());
    tiles.reorder(order).unroll(ci);
    if (has_parts)
        tiles.parallel(a.parts.args().back());
    const bool has_row = g.has_row && has_taps, is_parallel = !has_parts && is_worth_threads(s, knobs);
    // Each task stores the blocks that it alone reads, where there are enough of them: another core's lines
    // take longer to come than they take to be stored.
    const bool has_own_blocks =
        is_parallel && blocks.far >= enough_tasks && (s.problem.groups == 1 || !has_order);
    const bool are_taps_tasks =
        !has_own_blocks && !has_parts && has_taps && needs_inner_tasks(blocks.count(), 1);
    Halide::Var tile = has_own_blocks ? near : task;
    if (!has_own_blocks)
        tiles.fuse(near, far, task);
    if (are_taps_tasks) {
        tiles.fuse(a.y, task, task);
        if (!has_row)
            tiles.fuse(a.x, task, task);
    } else if (has_taps) {
        tile = has_row ? a.y : a.x;
    }
    if (is_parallel)
        tiles.parallel(has_own_blocks ? far : task);
    // Masked stores go with the vector of a whole block only; it is cut into registers all the same.
    if (is_whole)
        tiles.vectorize(inner, g.lanes).unroll(inner);
    else
        tiles.vectorize(inner);
    if (has_row)
        tiles.unroll(a.x);
    a.sum.compute_at(gradient, tile).store_in(Halide::MemoryType::Stack);
    a.sum.bound_extent(a.c, knobs.get("channels"));
    a.sum.vectorize(a.d, g.lanes).unroll(a.d).unroll(a.c);
    Halide::Stage update = a.sum.update();
    if (has_row) {
        a.sum.unroll(a.x);
        update.reorder(a.d, a.c, a.x, a.window[0], a.window[1], a.window[2]).unroll(a.x);
    } else if (knobs.get("channels") < knobs.get("vectors")) {
        update.reorder(a.c, a.d, a.window[0], a.window[1], a.window[2]);
    } else {
        update.reorder(a.d, a.c, a.window[0], a.window[1], a.window[2]);
    }
    update.vectorize(a.d, g.lanes).unroll(a.d).unroll(a.c);
    for (Halide::Func* map : {&a.blocked_in, &a.blocked_out}) {
        if (!map->defined())
            continue;
        const bool is_of_far = g.is_depthwise || (map == &a.blocked_in) == has_order;
        const bool is_own = has_own_blocks && is_of_far;
        if (is_own)
            map->compute_at(gradient, far);
        else if (has_strips)
            map->compute_at(gradient, a.strips[0]);
        else
            map->compute_root();
        // Of tasks inside a strip and of shorter strips, Halide does not find out how many rows they read at
        // most.
        if (has_strips && (is_own || has_parts) && !a.is_linear) {
            const bool is_of_windows = (map == &a.blocked_in) == detail::is_transposed(s.problem.op);
            const int rows = knobs.get("rows");
            map->bound_storage(map->args()[2], is_of_windows ? rows : reach_of(s, rows));
        }
        store_rows(a, *map, false, g, is_parallel && !is_own);
        if (map->has_update_definition())
            store_rows(a, *map, true, g, is_parallel && !is_own);
    }
}

} // namespace

const Family kernel_gradient_family = {
    .name = "kernel_gradient",
    .meaning = "gradient of a kernel by a register tile of output and input channels",
    .knobs = {{"vectors", "vectors of output channels in the register tile", vector_choices},
              {"channels", "input channels in the register tile", channel_choices},
              {"rows", "rows of windows that are summed while the tile stays in registers", row_choices},
              {"images", "1: and over all images", image_choices},
              {"parts", "parts of the rows, summed apart, each a task", part_choices}},
    .legal = legal,
    .defaults = defaults,
    .fits = fits,
    .request = request,
    .apply = apply,
    .cost = cost,
};

} // namespace lamina
