// Depthwise convolution: every channel has its own kernel, so vectors run over channels and the window is
// unrolled. The input is read as it is, or its padding is stored with it strip by strip.
#include "schedules/nests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace lamina {

namespace {

std::string fits(const Situation& s) {
    const Problem& p = s.problem;
    if (!is_one_sum(p) || !facts(p.op).has_window)
        return fmt::format("it schedules convolutions, not {}", facts(p.op).name);
    if (p.groups != p.in.channels || p.out_channels != p.in.channels)
        return fmt::format("groups={}: it needs one group, one input and one output channel each", p.groups);
    if (has_unfolded_gradient(p))
        return fmt::format("padding_mode={}: {}",
                           padding_mode_names[static_cast<std::size_t>(p.padding_mode)], why_not_unfolded);
    return why_not_channelwise(s);
}

// Output columns between two that meet the same columns of the kernel, and the same for rows.
Size phases(const Problem& p) {
    return p.op == Operator::transposed_convolution ? p.stride : Size(1);
}

Family nest() {
    return channelwise_family("", "", fits);
}

std::vector<int> stored_choices(const Situation& s) {
    return as_convolution(s.problem).padding_mode == PaddingMode::zeros ? std::vector{0, 1} : std::vector{1};
}

std::string legal(const Situation& s, const Knobs& knobs) {
    if (!contains(stored_choices(s), knobs.get("stored", 1)))
        return fmt::format("stored:{}: must be 0 or 1, and 1 where padding is not zeros",
                           knobs.get("stored", 1));
    return nest().legal(s, knobs);
}

int tap_columns(const Problem& p) {
    return ceil_div(p.kernel_size.width, phases(p).width);
}

// Cycles of an image: tiles of vectors, each with its multiply-adds, or the latency of one chain of them;
// loads of the input that its columns share, of the kernel and stores, two a cycle; and what it takes to
// begin. Columns beyond half of the registers leave none for values that the input's columns share.
double unstored_cost(const Situation& s, const Knobs& knobs) {
    const Problem p = as_convolution(s.problem);
    const Shape out = output_shape(p);
    const int columns = knobs.get("columns"), registers = s.target->vector_registers;
    const double lanes = full_lanes_for(*s.target, p.in.channels);
    const double tap_rows = static_cast<double>(p.kernel_size.height) / phases(p).height;
    const double multiply_adds = tap_rows * p.kernel_size.width / phases(p).width * columns;
    const double reach = tap_columns(p) + (columns - 1.0) * window_stride(p).width / phases(p).width;
    const double in_flight = columns + tap_columns(p) + std::min<double>(reach, p.kernel_size.width);
    const double loads = tap_rows * (reach + tap_columns(p)) + 2.0 * columns;
    const double spills = std::max(0.0, in_flight - registers) * tap_rows * 2;
    const double tile = std::max(multiply_adds / s.target->fma_per_cycle, (loads + spills) / 2) + 4;
    const double tiles = ceil_div(out.width, columns) * out.height * std::ceil(out.channels / lanes);
    // Phases of the stride that a tile does not hold are told apart while it is computed.
    return tiles * tile * (columns % phases(p).width == 0 ? 1 : 4);
}

double cost(const Situation& s, const Knobs& knobs) {
    return knobs.get("stored") != 0 ? nest().cost(s, knobs) : unstored_cost(s, knobs);
}

// Strips of rows for at least four tasks, where there are enough rows.
int default_strip(const Situation& s) {
    const int height = output_shape(as_convolution(s.problem)).height;
    int best = 1;
    for (int strip : divisors(height))
        if (strip * 4 <= height || height <= 8)
            best = strip;
    return best;
}

Knobs defaults(const Situation& s, const Knobs& given) {
    const std::vector<int> stored = stored_choices(s);
    Knobs best = channelwise_defaults(s);
    best.set("stored", given.get("stored", stored.front()));
    if (best.get("stored") != 0)
        return best;
    best.set("strip", default_strip(s));
    double least = 1e300;
    Knobs knobs = best;
    for (int columns : nest().knobs[0].values(s)) {
        knobs.set("columns", columns);
        if (const double cycles = unstored_cost(s, knobs);
            columns <= s.target->vector_registers / 2 && cycles < least) {
            least = cycles;
            best = knobs;
        }
    }
    return best;
}

AlgorithmRequest request(const Situation&, const Knobs& knobs) {
    return {.skips_padding = knobs.get("stored") == 0};
}

// Tiles begin at a multiple of their columns, so that it is settled at compile time which columns of a
// strided transposed kernel meet an element.
void apply(Stages& a, const Situation& s, const Knobs& knobs) {
    const Problem p = as_convolution(s.problem);
    const bool shifts =
        phases(p).width == 1 || knobs.get("stored") != 0 || output_shape(p).width % knobs.get("columns") == 0;
    apply_channelwise(a, s, knobs,
                      shifts ? Halide::TailStrategy::ShiftInwards : Halide::TailStrategy::GuardWithIf);
}

} // namespace

const Family depthwise_family = {
    "depthwise",
    "convolution that keeps channels apart, for maps of contiguous channels",
    {{"columns", "output columns computed together",
      [](const Situation& s) { return nest().knobs[0].values(s); }},
     {"strip", "output rows of a task, whose padded input is stored together where that is stored",
      [](const Situation& s) { return nest().knobs[1].values(s); }},
     {"stored", "1: the padded input is stored; 0: it is read as it is", stored_choices}},
    legal,
    defaults,
    fits,
    request,
    apply,
    cost,
};

} // namespace lamina
