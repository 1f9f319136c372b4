// What the family direct fetches ahead: what may be, and what is by default.
#include "schedules/direct.hpp"

#include <fmt/format.h>

namespace lamina::direct {

double block_bytes(const Situation& s, int vectors) {
    const Geometry g = geometry(s);
    return 4.0 * vectors * g.lanes * g.group_in * g.window;
}

namespace {

// Why the next block's kernel is not fetched ahead, or "": one that leaves no room for another in the L2
// cache would only be driven out.
std::string why_no_kernel_prefetch(const Situation& s, int vectors) {
    const Geometry g = geometry(s);
    const int block = vectors * g.lanes;
    if (block >= sums_of(s).out_channels)
        return "one block holds all output channels";
    if (g.positions < few_positions)
        return fmt::format("the map has {} positions, too few tiles to fetch the next block's kernel between",
                           g.positions);
    if (block_bytes(s, vectors) > 0.75 * s.target->l2_bytes)
        return "a block's kernel takes more than three quarters of the L2 cache";
    return "";
}

// Why the next strip's input is not, or "".
std::string why_no_input_prefetch(const Situation& s, int strip) {
    if (!sums_positions(sums_of(s)))
        return "only the input of a 1x1 window without stride, padding and groups, layout=nhwc, is fetched";
    if (takes_slope(s.problem))
        return "the input is stored strip by strip";
    if (strip == geometry(s).out_height)
        return fmt::format("strip:{}: there is no next strip", strip);
    return "";
}

// Why the next block's results are not, or "".
std::string why_no_result_prefetch(const Situation& s, int vectors) {
    const Problem p = sums_of(s);
    const Geometry g = geometry(s);
    if (p.layout != Layout::nhwc || p.groups != 1 || p.preactivation)
        return "only results of one group with contiguous channels are fetched";
    return vectors * g.lanes >= g.group_out ? "one block holds all output channels" : "";
}

// Where the kernel does not stay in the L2 cache from one call to the next, and a block has so few tiles that
// the first one's waiting counts. Measured on an Emerald Rapids, by turns with another library's kernels: 1x1
// 1024->512 on 14x14 (2 MiB) 0.89 of the peak without and 0.95 with, 1024->256 (1 MiB) 0.89 and 0.97,
// 512->256 on 28x28 (0.5 MiB) 0.94 and 0.95; by itself 512->2048 on 7x7 (4 MiB) 0.79 and 0.90. On a Zen 3
// 4 MiB gained nothing, 3x3 512->512 on 7x7, 9 MiB, went from 0.77 to 0.86 to 0.87 to 0.89; on 14x14 by
// strides of two on a Zen 5 1.06 and 1.02 while the cache behind the L2 is this core's alone, 0.84 and 0.98
// while others use it.
bool fetches_kernel_by_default(const Situation& s, int vectors, int tiles) {
    const Geometry g = geometry(s);
    return why_no_kernel_prefetch(s, vectors).empty() &&
           4.0 * g.group_in * g.window * sums_of(s).out_channels >= s.target->l2_bytes && tiles <= 64;
}

// Where results, and what is added to them, do not stay near either. Measured there, without and with: 1x1
// 64->256 on eight images of 56x56 with a residual 16.8 and 12.1 ms, without one 10.5 and 9.8, 512->2048 of
// 7x7 with one 11.2 and 10.3, 24->144 of 56x56 2.7 and 2.1, 7x7 3->64 by strides of two on 224x224 24.0
// and 22.4; 64->256 with a residual on one image 1.29 to 1.48 and 1.29 to 1.30 in two runs.
bool fetches_results_by_default(const Situation& s, int vectors) {
    const Problem p = sums_of(s);
    const double bytes = 4 * image_elements(output_shape(p)) * (p.epilogue.has(Step::residual) ? 2 : 1);
    return (are_maps_far(p) || bytes > 4 * s.target->l2_bytes) && why_no_result_prefetch(s, vectors).empty();
}

} // namespace

// Where maps come from memory, strips are tasks enough, and the core does not see the input coming by itself:
// as it does where a position has few channels. Measured on a Zen 4 with AVX2, eight images, parts of the
// peak without and with: 1x1 144->24 on 56x56 0.48 and 0.86, 256->64 0.72 and 0.87; of 112x112 16->96 would
// go from 5.4 to 6.1 ms.
bool fetches_input_by_default(const Situation& s, int strip) {
    constexpr int few_channels = 64;
    const Problem p = sums_of(s);
    return are_maps_far(p) && p.in.channels >= few_channels &&
           !needs_inner_tasks(geometry(s).out_height / strip, p.in.batch) &&
           why_no_input_prefetch(s, strip).empty();
}

std::vector<int> ahead_choices(const Situation& s) {
    const int all = (why_no_kernel_prefetch(s, 1).empty() ? ahead_kernel : 0) |
                    (geometry(s).out_height > 1 && why_no_input_prefetch(s, 1).empty() ? ahead_input : 0) |
                    (why_no_result_prefetch(s, 1).empty() ? ahead_results : 0);
    std::vector<int> values;
    for (int ahead = 0; ahead <= all; ++ahead)
        if ((ahead & ~all) == 0)
            values.push_back(ahead);
    return values;
}

std::string why_not_ahead(const Situation& s, int ahead, int vectors, int strip) {
    constexpr int most = ahead_kernel | ahead_input | ahead_results;
    if (ahead < 0 || ahead > most)
        return fmt::format("ahead:{}: must be 0 to {}", ahead, most);
    std::string reason;
    if ((ahead & ahead_kernel) != 0)
        reason = why_no_kernel_prefetch(s, vectors);
    if (reason.empty() && (ahead & ahead_input) != 0)
        reason = why_no_input_prefetch(s, strip);
    if (reason.empty() && (ahead & ahead_results) != 0)
        reason = why_no_result_prefetch(s, vectors);
    return reason.empty() ? "" : fmt::format("ahead:{}: {}", ahead, reason);
}

int strip_tiles(const Situation& s, const Knobs& knobs) {
    return ceil_div(knobs.get("strip") * geometry(s).out_width, knobs.get("positions"));
}

InputPrefetch input_prefetch(const Situation& s, const Knobs& knobs) {
    const Geometry g = geometry(s);
    const int blocks = ceil_div(g.group_out, knobs.get("vectors") * g.lanes);
    return {.rows = knobs.get("strip"),
            .strips = {{".task"}},
            .parts = {{".c.co", blocks},
                      {".tile", strip_tiles(s, knobs)},
                      {".channel", g.group_in / knobs.get("unroll")}}};
}

int default_ahead(const Situation& s, int vectors, int positions, int strip) {
    const int tiles = ceil_div(strip * geometry(s).out_width, positions);
    return (fetches_kernel_by_default(s, vectors, tiles) ? ahead_kernel : 0) |
           (fetches_input_by_default(s, strip) ? ahead_input : 0) |
           (fetches_results_by_default(s, vectors) ? ahead_results : 0);
}

} // namespace lamina::direct
