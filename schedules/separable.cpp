// A separable convolution strip by strip: the depthwise sums of some rows are stored where the cache holds
// them, and a register tile of output channels and positions, that of the family direct, sums over them.
#include "schedules/direct.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lamina {

namespace {

// Longest row of a window whose elements are unrolled; beyond, code grows and compile time with it.
constexpr int max_unrolled_taps = 7;

// Of one image: strips are parts of it.
Situation pointwise(const Situation& s) {
    Problem p = pointwise_part(s.problem);
    p.in.batch = 1;
    return {p, s.target};
}

// The longest vector that divides the channels.
int depthwise_lanes(const Situation& s) {
    int lanes = s.target->lanes();
    while (s.problem.in.channels % lanes != 0)
        lanes /= 2;
    return lanes;
}

std::string fits(const Situation& s) {
    const Problem& p = s.problem;
    if (p.op != Operator::separable_convolution)
        return fmt::format("it schedules separable_convolution, not {}", facts(p.op).name);
    if (s.target->is_gpu)
        return fmt::format("target {} has no CPU vectors", s.target->name);
    if (depthwise_lanes(s) < 4)
        return fmt::format("in: {} channels: must be a multiple of 4, the shortest vector", p.in.channels);
    return direct_family.fits(pointwise(s));
}

// The knobs that it shares with direct have the same values there.
std::vector<int> direct_choices(const Situation& s, std::string_view name) {
    const auto knob = std::ranges::find(direct_family.knobs, name, &Knob::name);
    return knob->values(pointwise(s));
}
std::vector<int> vector_choices(const Situation& s) {
    return direct_choices(s, "vectors");
}
std::vector<int> position_choices(const Situation& s) {
    return direct_choices(s, "positions");
}
std::vector<int> unroll_choices(const Situation& s) {
    return direct_choices(s, "unroll");
}

std::int64_t strip_bytes(const Situation& s, int strip) {
    return std::int64_t{4} * s.problem.in.channels * output_shape(s.problem).width * strip;
}

std::vector<int> strip_choices(const Situation& s) {
    const Shape out = output_shape(s.problem);
    const double most = most_scratch_bytes(static_cast<double>(elements(s.problem.in) + elements(out)));
    std::vector<int> values;
    for (int rows : divisors(out.height))
        if (rows == 1 || static_cast<double>(strip_bytes(s, rows)) <= most)
            values.push_back(rows);
    return values;
}

std::vector<int> column_choices(const Situation& s) {
    return column_choices(*s.target, output_shape(s.problem).width);
}

std::vector<int> channel_choices(const Situation& s) {
    std::vector<int> values = divisors(s.problem.in.channels / depthwise_lanes(s));
    for (int& value : values)
        value *= depthwise_lanes(s);
    return values;
}

// What is stored with padding, or in another order, is not read from the input as it lies.
std::string why_no_prefetch(const Situation& s, int strip) {
    const Problem& p = s.problem;
    if (p.layout != Layout::nhwc || p.padding_mode != PaddingMode::zeros)
        return "the input is stored strip by strip";
    if (strip == output_shape(p).height)
        return fmt::format("strip:{}: there is no next strip", strip);
    return "";
}

std::vector<int> ahead_choices(const Situation& s) {
    return why_no_prefetch(s, 0).empty() && output_shape(s.problem).height > 1 ? std::vector{0, 1}
                                                                               : std::vector{0};
}

// The knobs as direct knows them.
Knobs for_direct(const Knobs& knobs) {
    Knobs some;
    for (const char* name : {"vectors", "positions", "strip", "unroll"})
        if (knobs.has(name))
            some.set(name, knobs.get(name));
    return some;
}

std::string legal(const Situation& s, const Knobs& knobs) {
    const int strip = knobs.get("strip", 1), columns = knobs.get("columns", 1),
              channels = knobs.get("channels", s.problem.in.channels);
    Knobs direct = for_direct(knobs);
    direct.set("strip", strip);
    if (std::string reason = direct_family.legal(pointwise(s), direct); !reason.empty())
        return reason;
    if (!contains(strip_choices(s), strip))
        return fmt::format("strip:{}: its depthwise sums take {} bytes, more than the maps", strip,
                           strip_bytes(s, strip));
    if (std::string reason = why_not_columns(*s.target, output_shape(s.problem).width, columns);
        !reason.empty())
        return reason;
    if (!contains(channel_choices(s), channels))
        return fmt::format("channels:{}: must divide the input's {} channels into multiples of {}", channels,
                           s.problem.in.channels, depthwise_lanes(s));
    const int ahead = knobs.get("ahead", 0);
    if (ahead != 0 && (ahead != 1 || !why_no_prefetch(s, strip).empty()))
        return fmt::format("ahead:{}: {}", ahead, ahead == 1 ? why_no_prefetch(s, strip) : "must be 0 or 1");
    return "";
}

// Each tile also costs about half a column to begin, and up to half of the registers sum, since the taps'
// values need the rest.
int default_columns(const Situation& s) {
    const int width = output_shape(s.problem).width;
    int best = 1;
    double least = 1e300;
    for (int columns : column_choices(s)) {
        const double cost = ceil_div(width, columns) * 0.5 + width;
        if (columns <= s.target->vector_registers / 2 && cost + (width % columns > 0 ? 1 : 0) < least) {
            least = cost;
            best = columns;
        }
    }
    return best;
}

// Whether the input comes from beyond the L2 cache.
bool is_far(const Situation& s) {
    return 4 * elements(s.problem.in) > s.target->l2_bytes;
}

// Of all strips of a few tiles, the largest whose sums and input stay in the L2 cache together with the
// kernel and, where that is fetched ahead, the next strip's input; two of them at least, so that a thread
// reads the depthwise sums that it computed. (384 to 96 channels on 14x14, Zen 5: on one thread 66 us as one
// strip and 65 as two, on two threads 63 as one.)
int default_strip(const Situation& s) {
    constexpr int fewest_positions = 24;
    const Shape out = output_shape(s.problem);
    const double kernel = 4.0 * s.problem.in.channels * out.channels;
    int best = out.height;
    bool is_first = true;
    for (int strip : strip_choices(s)) {
        if (strip * out.width < std::min(fewest_positions, out.height * out.width))
            continue;
        const double input = padded_bytes(s.problem, strip) * (is_far(s) ? 2 : 1);
        const double bytes = static_cast<double>(strip_bytes(s, strip)) + input + kernel;
        if (is_first || (strip < out.height && bytes <= s.target->l2_bytes * 0.85))
            best = strip;
        is_first = false;
    }
    return best;
}

// An input that comes from far off is read in its own order, which the core fetches ahead by itself; of
// another one, the rows of a window stay in half of the L1 cache.
int default_channels(const Situation& s) {
    const double row = padded_bytes(s.problem, 1) / s.problem.in.channels;
    const std::vector<int> choices = channel_choices(s);
    int best = choices.front();
    for (int channels : choices)
        if (is_far(s) || row * channels <= s.target->l1_bytes * 0.5)
            best = channels;
    return best;
}

Knobs defaults(const Situation& s, const Knobs& given) {
    const int strip = std::min(given.get("strip", default_strip(s)), output_shape(s.problem).height);
    Knobs direct = for_direct(given);
    direct.set("strip", strip);
    const Knobs tile = direct_family.defaults(pointwise(s), direct);
    return {{"vectors", tile.get("vectors")},
            {"positions", tile.get("positions")},
            {"unroll", tile.get("unroll")},
            {"strip", strip},
            {"columns", default_columns(s)},
            {"channels", default_channels(s)},
            {"ahead", given.get("ahead", is_far(s) && why_no_prefetch(s, strip).empty() ? 1 : 0)}};
}

// While the 1x1 sums of a strip are computed, which read nothing from beyond the L2 cache themselves: a part
// with each turn of their innermost loop.
InputPrefetch input_prefetch(const Situation& s, const Knobs& knobs) {
    const int block = knobs.get("vectors") * lanes_for(*s.target, s.problem.out_channels);
    return {.rows = knobs.get("strip"),
            .strips = {{".task"}},
            .parts = {{".c.co", ceil_div(s.problem.out_channels, block)},
                      {".p.tile", direct::strip_tiles(pointwise(s), knobs)},
                      {".summed", s.problem.in.channels / knobs.get("unroll")}}};
}

AlgorithmRequest request(const Situation& s, const Knobs& knobs) {
    return {.kernel_block = knobs.get("vectors") * lanes_for(*s.target, s.problem.out_channels),
            .is_linear = true,
            .strip_rows = knobs.get("strip"),
            .input_prefetch = knobs.get("ahead") != 0 ? input_prefetch(s, knobs) : InputPrefetch{},
            .separable = {.columns = knobs.get("columns")}};
}

// Neighbouring columns of a strip, tile by tile, as the family depthwise has them.
void schedule_part(Stages& a, const Situation& s, const Knobs& knobs, std::size_t number) {
    const DepthwisePart& part = a.depthwise_parts[number];
    const Halide::Var chunk("chunk"), channel("channel"), co(fmt::format("co_{}", number)), ci("ci");
    const Halide::RVar tile("tile"), within("within");
    Halide::Stage stage = a.depthwise.update(static_cast<int>(number));
    stage.split(part.positions[0], tile, within, part.tile)
        .split(a.c, chunk, channel, knobs.get("channels"), Halide::TailStrategy::GuardWithIf)
        .split(channel, co, ci, depthwise_lanes(s), Halide::TailStrategy::GuardWithIf)
        .reorder(ci, within, co, tile, part.positions[1], chunk)
        .vectorize(ci)
        .unroll(within);
    const int rows = output_shape(s.problem).height, strip = knobs.get("strip");
    if (strip == rows || needs_inner_tasks(rows / strip, s.problem.in.batch))
        stage.parallel(chunk);
    Halide::Func sum = part.sum;
    sum.compute_at(a.depthwise, co).store_in(Halide::MemoryType::Stack).vectorize(a.c).unroll(a.x);
    sum.update().reorder(a.c, a.x, part.window[0], part.window[1]).vectorize(a.c).unroll(a.x);
    if (s.problem.kernel_size.width <= max_unrolled_taps)
        sum.update().unroll(part.window[0]);
}

void schedule_sums(Stages& a, const Situation& s, const Knobs& knobs, const Halide::Var& tile) {
    const int lanes = lanes_for(*s.target, s.problem.out_channels);
    const Halide::RVar summed("summed"), within("within");
    a.sum.compute_at(a.output, tile)
        .store_in(Halide::MemoryType::Stack)
        .vectorize(a.c, lanes)
        .unroll(a.c)
        .unroll(a.p);
    a.sum.update()
        .split(a.window[0], summed, within, knobs.get("unroll"))
        .reorder(a.c, a.p, within, summed)
        .vectorize(a.c, lanes)
        .unroll(a.c)
        .unroll(a.p)
        .unroll(within);
}

void apply(Stages& a, const Situation& s, const Knobs& knobs) {
    const Shape out = output_shape(s.problem);
    const int rows = knobs.get("strip"), lanes = lanes_for(*s.target, out.channels),
              block = knobs.get("vectors") * lanes;
    Halide::Var tile("tile"), pi("pi"), co("co"), ci("ci"), task("task");
    a.output.bound(a.c, 0, out.channels).bound(a.p, 0, rows * out.width).bound(a.y, 0, out.height / rows);
    a.output.split(a.p, tile, pi, knobs.get("positions"), Halide::TailStrategy::GuardWithIf)
        .split(a.c, co, ci, block, channel_tail(out.channels, block))
        .reorder(ci, pi, tile, co, a.y, a.n)
        .unroll(pi);
    // Masked stores go with the vector of a whole block only; it is cut into registers all the same.
    if (out.channels % block == 0)
        a.output.vectorize(ci, lanes).unroll(ci);
    else
        a.output.vectorize(ci);
    schedule_sums(a, s, knobs, tile);
    const bool has_strips = rows < out.height;
    if (has_strips)
        a.output.fuse(a.y, a.n, task).parallel(task);
    // What tiles fetch of the next strip's input is known where the task is.
    const bool fetches = knobs.get("ahead") != 0;
    if (!has_strips || (!fetches && needs_inner_tasks(out.height / rows, s.problem.in.batch)))
        a.output.parallel(co);
    const Halide::Var& level = has_strips ? task : a.n;
    a.depthwise.compute_at(a.output, level).bound(a.c, 0, s.problem.in.channels);
    for (std::size_t number = 0; number < a.depthwise_parts.size(); ++number)
        schedule_part(a, s, knobs, number);
    store_padded(a, s, level);
}

} // namespace

const Family separable_family = {
    .name = "separable",
    .meaning = "separable convolution whose depthwise sums stay in the cache",
    .knobs = {{"vectors", "vectors of output channels in the register tile", vector_choices},
              {"positions", "output positions in the register tile", position_choices},
              {"unroll", "depthwise channels per turn of the innermost loop", unroll_choices},
              {"strip", "output rows whose depthwise sums are stored together", strip_choices},
              {"columns", "columns whose depthwise sums are computed together", column_choices},
              {"channels", "channels whose depthwise sums a strip has before those of the next ones",
               channel_choices},
              {"ahead", "1: the next strip's input is fetched while this one's sums are computed",
               ahead_choices}},
    .legal = legal,
    .defaults = defaults,
    .fits = fits,
    .request = request,
    .apply = apply,
    .computes_once = true,
};

} // namespace lamina
