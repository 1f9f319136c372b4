// Transposed convolution with a stride: each phase of the stride is a convolution of its own with a part of
// the kernel, summed by a register tile of output channels and positions of one row.
#include "schedules/nests.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lamina {

namespace {

struct Geometry {
    Problem problem;
    Shape out;
    Size phase; // rows and columns of the first phase, which has the most
    int group_in, group_out, lanes;
};

Geometry geometry(const Situation& s) {
    const Problem p = as_convolution(s.problem);
    const Shape out = output_shape(p);
    const int group_out = p.out_channels / p.groups;
    return {p,
            out,
            {ceil_div(out.height, p.stride.height), ceil_div(out.width, p.stride.width)},
            p.in.channels / p.groups,
            group_out,
            lanes_for(*s.target, group_out)};
}

std::string fits(const Situation& s) {
    if (!reads_kernel(s.problem.op))
        return fmt::format("it schedules sums of products with a kernel, not {}", facts(s.problem.op).name);
    const Geometry g = geometry(s);
    if (g.problem.op != Operator::transposed_convolution || g.problem.stride == Size(1))
        return "it schedules transposed convolutions with a stride, and input gradients of convolutions with "
               "one";
    if (std::string reason = why_not_cpu_sums(s); !reason.empty())
        return reason;
    if (s.problem.layout != Layout::nhwc)
        return "layout=nchw: it stores vectors of channels, which must be contiguous";
    if (s.problem.preactivation)
        return "preactivation=yes: it gives the output alone";
    if (g.problem.groups > 1 && g.group_out % g.lanes != 0)
        return fmt::format(
            "groups={}: a group's {} computed channels must be a multiple of the vector's {} lanes",
            g.problem.groups, g.group_out, g.lanes);
    if (g.lanes < 4)
        return fmt::format("{} channels to compute: fewer than a vector of 4", g.problem.out_channels);
    return "";
}

int registers_used(int vectors, int positions) {
    return vectors * positions + vectors + 1;
}

std::vector<int> vector_choices(const Situation& s) {
    std::vector<int> values;
    const Geometry g = geometry(s);
    for (int v = 1; v <= 4 && (v - 1) * g.lanes < g.group_out; ++v)
        if (g.group_out % g.lanes != 0 || g.group_out % (v * g.lanes) == 0)
            values.push_back(v);
    return values;
}

std::vector<int> position_choices(const Situation& s) {
    std::vector<int> values;
    for (int p = 1; p <= geometry(s).phase.width && registers_used(1, p) <= s.target->vector_registers; ++p)
        values.push_back(p);
    return values;
}

// Of a phase's map under so many rows of it.
double stored_bytes(const Situation& s, int strip) {
    const Geometry g = geometry(s);
    return phase_bytes(g.problem, g.phase.width, strip);
}

std::vector<int> strip_choices(const Situation& s) {
    return divisors(geometry(s).phase.height);
}

std::vector<int> unroll_choices(const Situation& s) {
    return unrolls_of(geometry(s).group_in);
}

std::string legal(const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const int vectors = knobs.get("vectors", 1), positions = knobs.get("positions", 1),
              unroll = knobs.get("unroll", 1);
    if (!contains(vector_choices(s), vectors))
        return fmt::format(
            "vectors:{}: must be 1 to 4, and {} lanes each must {} the group's {} computed channels", vectors,
            g.lanes, g.group_out % g.lanes == 0 ? "divide" : "begin within", g.group_out);
    if (positions < 1 || positions > g.phase.width)
        return fmt::format("positions:{}: must be 1 to {}, the columns of a phase", positions, g.phase.width);
    if (registers_used(vectors, positions) > s.target->vector_registers)
        return fmt::format("positions:{}: {} vectors x {} positions need {} vector registers of {} on {}",
                           positions, vectors, positions, registers_used(vectors, positions),
                           s.target->vector_registers, s.target->name);
    if (const int strip = knobs.get("strip", 1); !contains(strip_choices(s), strip))
        return fmt::format("strip:{}: must divide the {} rows of the first phase", strip, g.phase.height);
    if (!contains(unroll_choices(s), unroll))
        return fmt::format("unroll:{}: must divide a group's {} summed channels and be at most 8", unroll,
                           g.group_in);
    return "";
}

// Cycles per multiply-add vector: waste in both directions, the latency of few accumulators, two loads a
// cycle.
double tile_cost(const Situation& s, int vectors, int positions) {
    const Geometry g = geometry(s);
    const double waste = static_cast<double>(ceil_div(g.phase.width, positions)) * positions / g.phase.width *
                         ceil_div(g.group_out, vectors * g.lanes) * vectors * g.lanes / g.group_out;
    const double multiply_adds = vectors * positions, loads = (vectors + positions) / 2.0;
    const double arithmetic =
        std::max<double>(multiply_adds / s.target->fma_per_cycle, s.target->fma_latency + 1);
    const double step = std::max(arithmetic, loads) + 0.1 * loads +
                        spilling(*s.target, registers_used(vectors, positions), positions);
    return waste * step / multiply_adds;
}

int phase_count(const Geometry& g) {
    return g.problem.stride.height * g.problem.stride.width;
}

// Multiply-adds of vectors, of an image.
double vector_count(const Geometry& g) {
    return static_cast<double>(operation_count(g.problem)) / std::max(g.out.batch, 1) / 2 / g.lanes;
}

// As many rows as leave half of the L2 cache to the kernel, and a few tasks where blocks of channels alone
// are none and a phase has work for them. Measured on two threads of a Zen 4 with AVX2: 3x3 32->32 on 63x63
// by strides of three, two blocks of channels, 107 us as one strip, 78 us as three.
int default_strip(const Situation& s, int vectors) {
    constexpr double cycles_of_task = 4000, most_wanted = 4;
    const Geometry g = geometry(s);
    const double cycles = vector_count(g) / s.target->fma_per_cycle / phase_count(g),
                 wanted_tasks = std::min(cycles / cycles_of_task, most_wanted);
    const int blocks = ceil_div(g.problem.out_channels, vectors * g.lanes);
    int best = 1;
    for (const int strip : strip_choices(s))
        if (stored_bytes(s, strip) <= s.target->l2_bytes / 2.0 &&
            ceil_div(g.phase.height, strip) * blocks >= wanted_tasks)
            best = strip;
    return best;
}

Knobs defaults(const Situation& s, const Knobs& given) {
    int vectors = 1, positions = 1;
    double least = 1e300;
    for (int v : vector_choices(s))
        for (int p : position_choices(s)) {
            const bool is_asked = v == given.get("vectors", v) && p == given.get("positions", p);
            if (!is_asked || registers_used(v, p) > s.target->vector_registers)
                continue;
            if (const double cost = tile_cost(s, v, p); cost < least) {
                least = cost;
                vectors = v;
                positions = p;
            }
        }
    const std::vector<int> unrolls = unroll_choices(s);
    return {{"vectors", vectors},
            {"positions", positions},
            {"strip", default_strip(s, vectors)},
            {"unroll", contains(unrolls, 4) ? 4 : unrolls.back()}};
}

// Bytes from beyond the L2 cache come eight a cycle: of the kernel for each strip where it does not stay
// there, and of a strip's map for each block of channels.
double cost(const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const double room = 0.75 * s.target->l2_bytes, map = stored_bytes(s, knobs.get("strip"));
    const double kernel = 4.0 * static_cast<double>(kernel_operand(g.problem).elements());
    const double strips = ceil_div(g.phase.height, knobs.get("strip"));
    const double blocks = ceil_div(g.problem.out_channels, knobs.get("vectors") * g.lanes);
    const double far =
        kernel * (kernel > room ? strips : 1) + phase_count(g) * strips * map * (map > room ? blocks : 1);
    const double multiply_adds = vector_count(g);
    const int vectors = knobs.get("vectors"), positions = knobs.get("positions");
    return multiply_adds * tile_cost(s, vectors, positions) +
           0.2 * multiply_adds / (vectors * positions) / knobs.get("unroll") + far / 8;
}

AlgorithmRequest request(const Situation& s, const Knobs& knobs) {
    return {.kernel_block = knobs.get("vectors") * geometry(s).lanes, .has_phases = true};
}

void apply_phase(Stages& a, const Situation& s, const Knobs& knobs, int number) {
    const Geometry g = geometry(s);
    StridePhase& phase = a.phases[static_cast<std::size_t>(number)];
    const int block = knobs.get("vectors") * g.lanes, channels = g.problem.out_channels;
    Halide::Var co("co"), ci("ci");
    Halide::RVar tile("tile"), within("within"), strip("strip"), row("row");
    Halide::Stage stage = a.output.update(number);
    // No two positions are the same.
    stage.allow_race_conditions()
        .split(phase.positions[0], tile, within, knobs.get("positions"), Halide::TailStrategy::GuardWithIf)
        .split(phase.positions[1], strip, row, knobs.get("strip"), Halide::TailStrategy::GuardWithIf)
        .split(a.c, co, ci, block, channel_tail(channels, block))
        .reorder(ci, within, tile, row, co, strip, a.n)
        .unroll(within);
    const bool has_strips = knobs.get("strip") < g.phase.height;
    const int strips = ceil_div(g.phase.height, knobs.get("strip"));
    if (has_strips)
        stage.parallel(strip);
    if (!has_strips || needs_inner_tasks(strips, 1))
        stage.parallel(co);
    if (channels % block == 0)
        stage.vectorize(ci, g.lanes).unroll(ci);
    else
        stage.vectorize(ci);
    if (!phase.sum.defined())
        return;
    phase.sum.compute_at(a.output, tile).store_in(Halide::MemoryType::Stack);
    phase.sum.bound_extent(a.x, knobs.get("positions"));
    phase.sum.vectorize(a.c, g.lanes).unroll(a.c).unroll(a.x);
    phase.sum.update()
        .reorder(a.c, a.x, phase.window[0], phase.window[1], phase.window[2])
        .vectorize(a.c, g.lanes)
        .unroll(a.c)
        .unroll(a.x)
        .unroll(phase.window[0], knobs.get("unroll"));
    const int lanes = full_lanes_for(*s.target, g.problem.in.channels);
    if (has_strips)
        phase.padded.compute_at(a.output, strip);
    else
        phase.padded.compute_at(a.output, a.n).parallel(a.y);
    if (lanes > 1)
        phase.padded.vectorize(a.c, lanes, Halide::TailStrategy::ShiftInwards);
}

void apply(Stages& a, const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    a.output.bound(a.c, 0, g.problem.out_channels).bound(a.x, 0, g.out.width).bound(a.y, 0, g.out.height);
    for (int k = 0; k < static_cast<int>(a.phases.size()); ++k)
        apply_phase(a, s, knobs, k);
}

} // namespace

const Family phases_family = {
    .name = "phases",
    .meaning = "transposed convolution with a stride, phase by phase of it",
    .knobs = {{"vectors", "vectors of computed channels in the register tile", vector_choices},
              {"positions", "positions of a phase's row in the register tile", position_choices},
              {"strip", "rows of a phase that are a task, whose map is stored together", strip_choices},
              {"unroll", "summed channels per turn of the innermost loop", unroll_choices}},
    .legal = legal,
    .defaults = defaults,
    .fits = fits,
    .request = request,
    .apply = apply,
    .cost = cost,
    .computes_once = true,
};

} // namespace lamina
