#include "tuner/contest.hpp"

#include "tuner/timing.hpp"

#include <algorithm>

namespace lamina {

namespace {

constexpr std::size_t fewest_rounds = 3; // that had the core to themselves, to do without the others
constexpr double patience = 3;           // times a turn's seconds, while every call shared its core

} // namespace

Contest::Contest(std::vector<ReadyKernel*> contenders, CoreWatch& watch)
    : watch_(watch), contenders_(std::move(contenders)), turns_(contenders_.size()) {}

Contest::Turn Contest::turn(ReadyKernel& kernel, double seconds) {
    // Where the others left the caches is not this kernel's doing.
    kernel.run();
    watch_.look();
    std::vector<WatchedSample> calls;
    bool was_alone = false;
    const double begin = now_seconds();
    for (double now = begin; calls.empty() || now - begin < (was_alone ? 1 : patience) * seconds;
         now = now_seconds()) {
        watch_.sample_calls([&] { kernel.run(); }, calls);
        was_alone = was_alone || is_alone(calls.back(), watch_.most());
    }
    return {quartiles(undisturbed_or_all(calls, watch_.most(), 1)).median, was_alone};
}

void Contest::play_round(double seconds) {
    for (std::size_t i = 0; i < contenders_.size(); ++i)
        turns_[i].push_back(turn(*contenders_[i], seconds));
}

Standing Contest::standing(std::size_t contender) const {
    std::vector<double> ratios, alone, seconds;
    for (std::size_t round = 0; round < turns_[contender].size(); ++round) {
        const Turn &own = turns_[contender][round], &first = turns_[0][round];
        ratios.push_back(own.seconds / first.seconds);
        if (own.is_alone && first.is_alone)
            alone.push_back(ratios.back());
        seconds.push_back(own.seconds);
    }
    const int rounds = static_cast<int>(ratios.size());
    const Quartiles q = quartiles(alone.size() >= fewest_rounds ? std::move(alone) : std::move(ratios));
    return {q.median, q.low, q.high, quartiles(std::move(seconds)).median, rounds};
}

} // namespace lamina
