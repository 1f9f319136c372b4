// Direct convolution: one register tile of output channels x positions is summed over the whole window while
// it stays in registers. The kernel is packed so that a tile's vectors are contiguous along the sum;
// positions run linearly over the map, so that narrow maps waste no columns; the padded input is stored strip
// by strip, near the cache. direct_ahead.cpp says what is fetched ahead, direct_cost.cpp what schedules cost,
// and which is the default.
#include "schedules/direct.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace lamina {

namespace {

using namespace direct;

// Few positions need the more vectors to hide the multiply-adds' latency.
int most_vectors(const Situation& s) {
    return geometry(s).positions < few_positions ? 8 : 4;
}

// Whether the last block of output channels may have fewer than its vectors hold: where vectors do not divide
// them, and in one group where no number of vectors does that makes several positions a tile, or few
// positions need the more vectors.
bool may_be_masked(const Situation& s) {
    const Geometry g = geometry(s);
    const int vectors = g.group_out / g.lanes;
    const bool is_uneven = vectors % 2 != 0 && vectors % 3 != 0 && vectors > 4;
    return g.group_out % g.lanes != 0 ||
           (s.problem.groups == 1 && (is_uneven || g.positions < few_positions));
}

} // namespace

namespace direct {

Problem sums_of(const Situation& s) {
    return as_one_image(as_convolution(s.problem));
}

Geometry geometry(const Situation& s) {
    const Problem p = sums_of(s);
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

std::vector<int> unroll_choices(const Situation& s) {
    return unrolls_of(geometry(s).group_in);
}

std::string why_no_skip(const Situation& s) {
    const Problem p = sums_of(s);
    const Padding padding = resolved_padding(p);
    if (p.op == Operator::transposed_convolution || p.padding_mode != PaddingMode::zeros ||
        padding.top + padding.bottom == 0)
        return "no zeros above or below the input";
    return "";
}

bool skips_columns(const Situation& s, int positions) {
    constexpr int most_kernel_columns = 7;
    const Problem p = sums_of(s);
    const Padding padding = resolved_padding(p);
    return padding.left + padding.right > 0 && positions % geometry(s).out_width == 0 &&
           p.kernel_size.width <= most_kernel_columns;
}

} // namespace direct

namespace {

std::string fits(const Situation& s) {
    const Problem& p = s.problem;
    const Geometry g = geometry(s);
    if (std::string reason = why_not_one_cpu_sum(s); !reason.empty())
        return reason;
    const int out_channels = as_convolution(p).out_channels;
    if (p.groups > 1 && g.group_out % g.lanes != 0)
        return fmt::format(
            "groups={}: a group's {} output channels must be a multiple of the vector's {} lanes", p.groups,
            g.group_out, g.lanes);
    if (g.lanes < 4)
        return fmt::format("{} channels to compute: fewer than a vector of 4", out_channels);
    if (static_cast<std::int64_t>(g.out_height) * g.out_width > most_linear_positions)
        return "the output map has more than 2^28 positions";
    return "";
}

std::vector<int> skip_choices(const Situation& s) {
    return why_no_skip(s).empty() ? std::vector{0, 1} : std::vector{0};
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
    if (skip != 0 && (skip != 1 || !why_no_skip(s).empty()))
        return fmt::format("skip:{}: {}", skip, skip == 1 ? why_no_skip(s) : "must be 0 or 1");
    const int ahead = knobs.get("ahead", 0);
    if (std::string reason = why_not_ahead(s, ahead, vectors, strip); !reason.empty())
        return reason;
    const int chunk = knobs.get("chunk", g.group_in), unroll = knobs.get("unroll", 1);
    if (!contains(chunk_choices(s), chunk))
        return fmt::format("chunk:{}: must divide a group's {} input channels", chunk, g.group_in);
    if (!contains(unroll_choices(s), unroll) || chunk % unroll != 0)
        return fmt::format("unroll:{}: must divide a chunk's {} input channels and be at most 8", unroll,
                           chunk);
    return "";
}

// Places of the kernel that a tile of few positions reads at the same time: memory keeps more of them coming
// than of one. Measured on a Zen 3: 67 MB of kernel at 20 GB/s from one place, 28 GB/s from four.
int stream_count(const Situation& s, int vectors) {
    return geometry(s).positions < few_positions ? std::gcd(vectors, 4) : 1;
}

AlgorithmRequest request(const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const int streams = stream_count(s, knobs.get("vectors")), positions = knobs.get("positions"),
              ahead = knobs.get("ahead");
    return {.kernel_block = knobs.get("vectors") / streams * g.lanes,
            .kernel_blocks = streams,
            .kernel_chunk = knobs.get("chunk"),
            .is_linear = true,
            .has_one_image = true,
            .strip_rows = knobs.get("strip"),
            .tile_positions = positions,
            .skips_rows = knobs.get("skip") != 0,
            .skips_columns = knobs.get("skip") != 0 && skips_columns(s, positions),
            .prefetch_tiles = (ahead & ahead_kernel) != 0 ? strip_tiles(s, knobs) : 0,
            .input_prefetch = (ahead & ahead_input) != 0 ? input_prefetch(s, knobs) : InputPrefetch{},
            .result_prefetch = (ahead & ahead_results) != 0
                                   ? ResultPrefetch{positions, knobs.get("vectors") * g.lanes}
                                   : ResultPrefetch{}};
}

// Tiles of a task inside a strip of so many: all of them, unless few strips and blocks of channels leave
// threads without work, and a task has work for two microseconds. Measured on two threads of a Zen 5: 1x1
// 576->160 on 7x7, five blocks of channels, 22.9 us as five tasks, 18.9 as fifteen.
int tiles_of_task(const Situation& s, const Knobs& knobs, int tiles) {
    constexpr double cycles_of_task = 8000;
    constexpr int wanted_tasks = 16;
    const Geometry g = geometry(s);
    const int blocks = ceil_div(sums_of(s).out_channels, knobs.get("vectors") * g.lanes),
              strips = g.out_height / knobs.get("strip");
    const double cycles = vector_count(s) / s.target->fma_per_cycle;
    const int tasks = static_cast<int>(std::min<double>(wanted_tasks, cycles / cycles_of_task));
    if ((knobs.get("ahead") & ahead_kernel) != 0 || tasks <= strips * blocks)
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
    Halide::Var tile("tile"), pi("pi"), co("co"), ci("ci"), task("task");
    const int out_channels = sums_of(s).out_channels;
    const int rows = knobs.get("strip"), strips = g.out_height / rows;
    a.output.bound(a.c, 0, out_channels).bound(a.p, 0, rows * g.out_width).bound(a.y, 0, strips);
    a.output.split(a.p, tile, pi, knobs.get("positions"), Halide::TailStrategy::GuardWithIf)
        .split(a.c, co, ci, block, channel_tail(out_channels, block))
        .reorder(ci, pi, tile, co, a.y, a.n)
        .unroll(pi);
    // Masked stores go with the vector of a whole block only; it is cut into registers all the same.
    if (out_channels % block == 0)
        a.output.vectorize(ci, g.lanes).unroll(ci);
    else
        a.output.vectorize(ci);
    // Halide's own bounds of a tile's sums are those of many where parts of the tiles are tasks: of 1x1
    // 64->64 on 28x28, 50 KB of them on the stack.
    a.sum.bound_extent(a.p, knobs.get("positions")).bound_extent(a.x, 1).bound_extent(a.y, 1);
    schedule_register_tile(a, Halide::LoopLevel(a.output, tile), g.lanes, knobs.get("chunk"),
                           knobs.get("unroll"));
    if (knobs.get("skip") != 0 && skips_columns(s, knobs.get("positions")))
        a.sum.update().unroll(a.window[1]);
    const int tiles = strip_tiles(s, knobs);
    if (strips > 1) {
        a.output.fuse(a.y, a.n, task).parallel(task);
        // Inside of tasks of their own, tiles would not know which strip they fetch for.
        if (needs_inner_tasks(strips, sums_of(s).in.batch) && (knobs.get("ahead") & ahead_input) == 0)
            make_tasks(a.output, tile, co, tiles, tiles_of_task(s, knobs, tiles));
        store_padded(a, s, task);
    } else {
        make_tasks(a.output, tile, co, tiles, tiles_of_task(s, knobs, tiles));
        store_padded(a, s, a.n);
        // Where there is more of it than one thread stores while others are woken.
        constexpr double little = 64 << 10;
        if (a.padded.defined() && padded_bytes(sums_of(s), g.out_height) > little)
            a.padded.parallel(a.y);
    }
}

} // namespace

const Family direct_family = {
    .name = "direct",
    .meaning = "convolution by a register tile of output channels and positions",
    .knobs =
        {{"vectors", "vectors of output channels in the register tile", vector_choices},
         {"positions", "output positions in the register tile", position_choices},
         {"strip", "output rows whose padded input is stored together", strip_choices},
         {"chunk", "input channels that are summed over the whole window before the next ones",
          chunk_choices},
         {"unroll", "input channels per turn of the innermost loop", unroll_choices},
         {"skip", "1: tiles leave out the kernel's rows that meet only padding", skip_choices},
         {"ahead",
          "sum of what is fetched ahead: 1 the next block's kernel, 2 the next strip's input, 4 the next "
          "block's results",
          ahead_choices}},
    .legal = legal,
    .defaults = defaults,
    .fits = fits,
    .request = request,
    .apply = apply,
    .cost = cost,
    .computes_once = true,
};

} // namespace lamina
