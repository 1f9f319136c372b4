// Pooling: vectors of channels, several columns at once, the whole window unrolled where it is small.
#include "schedules/nests.hpp"

#include <fmt/format.h>

namespace lamina {

namespace {

std::string fits(const Situation& s) {
    const Operator op = s.problem.op;
    if (!facts(op).has_window || facts(op).has_kernel || is_gradient(op) || op == Operator::max_unpool)
        return fmt::format("it schedules max_pool, average_pool and lp_pool, not {}", facts(op).name);
    return why_not_channelwise(s);
}

} // namespace

const Family pool_family =
    channelwise_family("pool", "pooling by vectors of channels, for maps of contiguous channels", fits);

} // namespace lamina
