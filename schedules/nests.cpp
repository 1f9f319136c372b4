#include "schedules/nests.hpp"

#include <fmt/format.h>

namespace lamina {

std::vector<int> divisors(int number) {
    std::vector<int> low, high;
    for (int d = 1; static_cast<std::int64_t>(d) * d <= number; ++d)
        if (number % d == 0) {
            low.push_back(d);
            if (d != number / d)
                high.insert(high.begin(), number / d);
        }
    low.insert(low.end(), high.begin(), high.end());
    return low;
}

std::vector<int> even_parts(int elements) {
    std::vector<int> lengths;
    for (int parts = elements; parts >= 1; --parts)
        if (const int length = ceil_div(elements, parts); lengths.empty() || lengths.back() != length)
            lengths.push_back(length);
    return lengths;
}

std::vector<int> open_choices(const Knobs& given, std::string_view name, std::vector<int> choices) {
    return given.has(name) ? std::vector{given.get(name)} : std::move(choices);
}

int lanes_for(const TargetFacts& target, int extent) {
    int lanes = target.lanes();
    while (lanes > 1 && lanes / 2 >= extent)
        lanes /= 2;
    return lanes;
}

int full_lanes_for(const TargetFacts& target, int extent) {
    int lanes = target.lanes();
    while (lanes > extent)
        lanes /= 2;
    return lanes;
}

Halide::TailStrategy channel_tail(int channels, int block) {
    return channels % block == 0 ? Halide::TailStrategy::RoundUp : Halide::TailStrategy::Predicate;
}

bool are_maps_far(const Problem& problem) {
    constexpr double shared_cache_bytes = 12 << 20;
    const double image = 4 * (image_elements(problem.in) + image_elements(output_shape(problem)));
    return image * std::max(problem.in.batch, 1) > shared_cache_bytes;
}

double padded_bytes(const Problem& problem, int output_rows) {
    const Size reach = padded_reach(problem, {output_rows, output_shape(problem).width});
    return 4.0 * problem.in.channels * reach.height * reach.width;
}

double phase_bytes(const Problem& problem, int columns, int rows) {
    const auto taps = [](const detail::Axis& axis) {
        return (axis.extent() + axis.stride - 1) / axis.stride;
    };
    return 4.0 * problem.in.channels * static_cast<double>(rows - 1 + taps(detail::rows(problem))) *
           static_cast<double>(columns - 1 + taps(detail::columns(problem)));
}

void store_padded(Stages& a, const Situation& s, const Halide::Var& level) {
    if (!a.padded.defined())
        return;
    a.padded.compute_at(a.output, level);
    // Vectors along the axis on which the input is contiguous; channels are so in what is stored, whatever
    // the input's layout.
    const bool is_nchw = s.problem.layout == Layout::nchw;
    const Problem p = as_convolution(s.problem);
    const Shape out = output_shape(p);
    const int columns = padded_reach(p, {out.height, out.width}).width;
    const int lanes = full_lanes_for(*s.target, is_nchw ? columns : p.in.channels);
    // Vectors along columns, whose channels stand between them: Halide makes one dense copy of all of them.
    if (!is_nchw && p.in.channels < s.target->lanes() && columns >= s.target->lanes()) {
        const Halide::Var inner("inner");
        a.padded.bound(a.c, 0, p.in.channels)
            .split(a.x, a.x, inner, s.target->lanes(), Halide::TailStrategy::ShiftInwards)
            .reorder(a.c, inner, a.x)
            .unroll(a.c)
            .vectorize(inner);
        return;
    }
    if (lanes > 1)
        a.padded.vectorize(a.padded.args()[is_nchw ? 1 : 0], lanes, Halide::TailStrategy::ShiftInwards);
    if (is_nchw)
        a.padded.reorder(a.padded.args()[1], a.padded.args()[0]);
}

void store_unpadded(Stages& a, const Situation& s, const Halide::Var& level, int rows) {
    if (!a.padded.defined())
        return;
    const Problem p = as_convolution(s.problem);
    a.padded.compute_at(a.output, level).bound(a.c, 0, p.in.channels).bound(a.x, 0, p.in.width);
    // Halide finds no constant size where tasks at the map's ends need fewer rows than others.
    const int step = p.op == Operator::transposed_convolution ? p.stride.height : 1;
    const int reach = (padded_reach(p, {rows, 1}).height - 1) / step + 2;
    a.padded.bound_storage(a.y, std::min(reach, p.in.height));
    if (const int lanes = full_lanes_for(*s.target, p.in.channels); lanes > 1)
        a.padded.vectorize(a.c, lanes, Halide::TailStrategy::ShiftInwards);
}

std::string why_not_cpu_sums(const Situation& s) {
    if (has_unfolded_gradient(s.problem))
        return fmt::format(
            "padding_mode={}: the padding's gradient is added to that of the input behind the sums",
            padding_mode_names[static_cast<std::size_t>(s.problem.padding_mode)]);
    return s.target->is_gpu ? fmt::format("target {} has no CPU vectors", s.target->name) : "";
}

std::string why_not_one_cpu_sum(const Situation& s) {
    return is_one_sum(s.problem)
               ? why_not_cpu_sums(s)
               : fmt::format("it schedules sums of products with a kernel, not {}", facts(s.problem.op).name);
}

std::vector<int> unrolls_of(int extent) {
    constexpr int most = 8;
    std::vector<int> values = divisors(extent);
    std::erase_if(values, [](int count) { return count > most; });
    return values;
}

std::vector<int> gradient_part_choices(int windows) {
    std::vector<int> values{1};
    while (values.back() < 16 && values.back() * 2 <= windows)
        values.push_back(values.back() * 2);
    return values;
}

std::string why_no_room_for_gradients(int parts, std::int64_t gradient_bytes) {
    if (parts * gradient_bytes <= small_scratch_bytes)
        return "";
    return fmt::format("parts:{}: so many kernels take {} KiB of scratch, of at most {}", parts,
                       parts * gradient_bytes >> 10, small_scratch_bytes >> 10);
}

std::string why_not_gradient_parts(int windows, int rows, int parts, std::int64_t gradient_bytes) {
    if (!contains(even_parts(windows), rows))
        return fmt::format("rows:{}: must be 1 to {}, and the least that makes as few strips", rows, windows);
    if (parts == 1 && windows % rows != 0)
        return fmt::format("rows:{}: must divide the {} rows of windows, which are one part", rows, windows);
    if (!contains(gradient_part_choices(windows), parts) || ceil_div(windows, rows) < parts)
        return fmt::format("parts:{}: must be a power of two up to {}, each of at least one strip of rows:{}",
                           parts, gradient_part_choices(windows).back(), rows);
    return parts > 1 ? why_no_room_for_gradients(parts, gradient_bytes) : "";
}

std::vector<int> gradient_parts_for(const TargetFacts& target, int windows, double cycles,
                                    std::int64_t gradient_bytes) {
    std::vector<int> values;
    for (int parts : gradient_part_choices(windows))
        if (parts > 1 && cycles > worth_threads && cycles / parts >= worth_threads / 4 &&
            parts * gradient_bytes * 4 <= target.l2_bytes)
            values.push_back(parts);
    return values.empty() ? std::vector{1} : values;
}

double gradient_part_unevenness(int windows, int rows, int parts) {
    const double longest = 1.0 * ceil_div(ceil_div(windows, rows), parts) * rows;
    return longest * parts / windows * (1 + 0.12 / parts);
}

std::string why_not_channelwise(const Situation& s) {
    if (s.target->is_gpu)
        return fmt::format("target {} has no CPU vectors", s.target->name);
    if (s.problem.layout != Layout::nhwc)
        return "layout=nchw: it loads vectors of channels, which must be contiguous";
    return "";
}

std::string why_computed_twice(const Situation& s, std::string_view knob, int columns, int width) {
    if (!may_be_in_place(s.problem) || width % columns == 0)
        return "";
    return fmt::format("{}:{}: must divide the output's {} columns, since none may be computed twice in the "
                       "memory of an input",
                       knob, columns, width);
}

std::vector<int> column_choices(const TargetFacts& target, int width) {
    std::vector<int> values;
    for (int columns = 1; columns <= width && columns + 2 <= target.vector_registers; ++columns)
        values.push_back(columns);
    return values;
}

std::string why_not_columns(const TargetFacts& target, int width, int columns) {
    const std::vector<int> choices = column_choices(target, width);
    if (contains(choices, columns))
        return "";
    return fmt::format(
        "columns:{}: must be 1 to {}, within the output's {} columns and the {} vector registers of {}",
        columns, choices.back(), width, target.vector_registers, target.name);
}

// Steps of a register tile's sum that stand in one turn of a loop, where that has all of a chunk's channels.
constexpr int most_window_steps = 32;

void schedule_register_tile(Stages& a, const Halide::LoopLevel& level, int lanes, int chunk, int unroll) {
    a.sum.compute_at(level).store_in(Halide::MemoryType::Stack);
    a.sum.vectorize(a.c, lanes).unroll(a.c).unroll(a.p);
    Halide::RVar chunks("chunk"), channel("channel"); // which with_kernel_prefetch() knows
    a.sum.update()
        .split(a.window[0], chunks, channel, chunk)
        .reorder(a.c, a.p, channel, a.window[1], a.window[2], chunks)
        .vectorize(a.c, lanes)
        .unroll(a.c)
        .unroll(a.p)
        .unroll(channel, unroll);
    if (unroll < chunk)
        return;
    // Loops of few turns cost as much as what is in them. Measured on a Zen 3: 3x3 of stride 2 over three
    // channels, 0.72 of the peak without, 0.79 with both loops unrolled.
    int steps = unroll;
    for (const int axis : {1, 2}) {
        steps *= static_cast<int>(*Halide::Internal::as_const_int(a.window[axis].extent()));
        if (steps > most_window_steps)
            return;
        a.sum.update().unroll(a.window[axis]);
    }
}

namespace {

// A sum or maximum that is computed for a vector of its consumer's.
void compute_for_vectors(Halide::Func& sum, const Halide::LoopLevel& level, const Halide::Var& along,
                         int lanes) {
    sum.compute_at(level);
    for (int stage = 0; stage < (lanes > 1 ? 2 : 0); ++stage) {
        Halide::Stage definition = stage == 0 ? Halide::Stage(sum) : sum.update();
        definition.vectorize(along, lanes, Halide::TailStrategy::GuardWithIf);
    }
}

} // namespace

namespace {

// What the channels of one position share.
void compute_shared(Stages& a, const Situation& s, const Halide::Var& level) {
    const int lanes = full_lanes_for(*s.target, s.problem.in.channels);
    for (Halide::Func& stage : a.shared) {
        stage.compute_at(a.output, level);
        if (lanes == 1 || stage.args()[0].name() != a.c.name())
            continue;
        stage.vectorize(a.c, lanes, Halide::TailStrategy::GuardWithIf);
        for (int number = 0; number < stage.num_update_definitions(); ++number)
            stage.update(number).vectorize(a.c, lanes, Halide::TailStrategy::GuardWithIf);
    }
}

// What is pooled is computed for the windows of a position, or of a row where channels are outside.
void compute_for_pool(Stages& a, const Halide::Var& level, const Halide::Var& along, int lanes) {
    compute_for_vectors(a.pool.maximum, Halide::LoopLevel(a.output, along), along, lanes);
    a.pool.map.compute_at(a.output, level);
    if (lanes > 1)
        a.pool.map.vectorize(along, lanes, Halide::TailStrategy::GuardWithIf);
    compute_for_vectors(a.sum, Halide::LoopLevel(a.pool.map, along), along, lanes);
}

} // namespace

void schedule_generically(Stages& a, const Situation& s) {
    // Without sums, what may be in place goes from element to element.
    if (may_be_in_place(s.problem) && !a.sum.defined())
        return schedule_elementwise(a, s, {});
    const Operand result = as_seen(s.problem, main_result(s.problem));
    const std::vector<Halide::Var> args = a.output.args(); // memory order
    const int extent = result.shape[static_cast<std::size_t>(result.rank - 1)];
    const int lanes = full_lanes_for(*s.target, extent);
    const Halide::Var inner("inner");
    const Halide::Var& along = args[0];
    a.output.bound(along, 0, extent);
    if (lanes > 1)
        a.output
            .split(along, along, inner, lanes,
                   may_be_in_place(s.problem) ? Halide::TailStrategy::GuardWithIf
                                              : Halide::TailStrategy::ShiftInwards)
            .vectorize(inner);
    if (result.rank > 1)
        a.output.parallel(args[std::min<std::size_t>(args.size() - 1, 2)]);
    // Stages keep what all channels share; with channels outside they must be stored for a whole image.
    const bool has_channels_outside = result.rank == 4 && s.problem.layout == Layout::nchw;
    if (a.unfolded.defined()) {
        const int columns = full_lanes_for(*s.target, s.problem.in.channels);
        a.unfolded.compute_at(a.output, args[3]);
        if (columns > 1)
            a.unfolded.vectorize(a.c, columns, Halide::TailStrategy::GuardWithIf);
        compute_for_vectors(a.sum, Halide::LoopLevel(a.unfolded, columns > 1 ? a.c : a.x), a.c, columns);
    } else if (a.pool.map.defined()) {
        compute_for_pool(a, args[1], along, lanes);
    } else if (a.sum.defined()) {
        compute_for_vectors(a.sum, Halide::LoopLevel(a.output, along), along, lanes);
    }
    if (!a.shared.empty())
        compute_shared(a, s, has_channels_outside ? args[3] : args[1]);
}

} // namespace lamina
