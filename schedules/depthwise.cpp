// Depthwise convolution: every channel has its own kernel, so vectors run over channels and the window is
// unrolled.
#include "schedules/nests.hpp"

#include <fmt/format.h>

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

} // namespace

const Family depthwise_family = channelwise_family(
    "depthwise", "convolution that keeps channels apart, for maps of contiguous channels", fits);

} // namespace lamina
