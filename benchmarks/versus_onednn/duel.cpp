#include "benchmarks/versus_onednn/duel.hpp"

#include "tuner/timing.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

namespace lamina::versus {

namespace {

// With fewer undisturbed calls the rest would be no sample. Of many calls beside a busy neighbour a few pass
// for undisturbed that are not: 15 of 705 once had twice the time that the kernel takes.
std::size_t fewest_of(std::size_t calls) {
    constexpr std::size_t fewest_calls = 5, fewest_of_hundred = 5;
    return std::max(fewest_calls, calls * fewest_of_hundred / 100);
}

constexpr double seconds_of_a_turn = 0.01, seconds_of_a_turn_of_threads = 0.03;
constexpr double seconds_between_peaks = 0.001;
// OpenMP's threads spin for some milliseconds after a call, and would take the cores from who comes next.
constexpr auto until_threads_sleep = std::chrono::milliseconds(20);
// Threads that slept may wake up on one core, until the system notices. Measured with 2.5 ms calls on two
// cores: both libraries need some 10 ms until both cores work.
constexpr double seconds_until_spread = 0.03;

class Duel {
public:
    Duel(const std::vector<std::function<void()>>& contenders, const DuelConditions& conditions)
        : contenders_(contenders), conditions_(conditions), watch_(conditions.watch),
          calls_(contenders.size()) {
        if (conditions.threads > 1)
            watch_.watch_all_cores();
    }

    DuelResult play() {
        const double wanted = conditions_.seconds * static_cast<double>(contenders_.size());
        const double begin = now_seconds();
        for (double spent = 0; spent < wanted || (!is_enough() && spent < conditions_.patience * wanted);
             spent = now_seconds() - begin)
            for (std::size_t i = 0; i < contenders_.size(); ++i)
                turn(i);
        return result();
    }

private:
    const std::vector<std::function<void()>>& contenders_;
    const DuelConditions& conditions_;
    CoreWatch watch_;
    std::vector<std::vector<WatchedSample>> calls_; // by contender, seconds
    std::vector<WatchedSample> peaks_;              // GFLOP/s of one core
    double last_peak_ = 0;

    // The first call finds the caches full of another's data and is not counted, and neither are those of
    // threads that are not spread yet.
    void turn(std::size_t contender) {
        const std::function<void()>& call = contenders_[contender];
        const bool has_threads = conditions_.threads > 1;
        if (has_threads)
            std::this_thread::sleep_for(until_threads_sleep);
        const double counted = now_seconds() + (has_threads ? seconds_until_spread : 0);
        do
            call();
        while (now_seconds() < counted);
        watch_.look();
        const double begin = now_seconds();
        do {
            watch_.sample_calls(call, calls_[contender]);
            if (now_seconds() - last_peak_ > seconds_between_peaks)
                sample_peak();
        } while (now_seconds() - begin < (has_threads ? seconds_of_a_turn_of_threads : seconds_of_a_turn));
    }

    void sample_peak() {
        peaks_.push_back(watch_.sample([&] { return sample_gflops(conditions_.target).value_or(0); }));
        last_peak_ = now_seconds();
    }

    bool is_enough() const {
        return std::ranges::all_of(calls_, [&](const auto& calls) {
            return undisturbed(calls, watch_.most()).size() >= fewest_of(calls.size());
        });
    }

    DuelResult result() const {
        DuelResult result;
        for (const std::vector<WatchedSample>& calls : calls_) {
            const std::size_t fewest = fewest_of(calls.size()),
                              alone = undisturbed(calls, watch_.most()).size();
            const double median = quartiles(undisturbed_or_all(calls, watch_.most(), fewest)).median;
            const double share = static_cast<double>(alone) / static_cast<double>(calls.size());
            result.times.push_back({median, alone < fewest ? 0 : share, static_cast<int>(calls.size())});
        }
        result.peak_gflops = quartiles(undisturbed_or_all(peaks_, watch_.most(), 1)).median;
        return result;
    }
};

} // namespace

DuelResult play_duel(const std::vector<std::function<void()>>& contenders, const DuelConditions& conditions) {
    std::optional<PinnedCore> pinned;
    if (conditions.threads == 1)
        pinned.emplace();
    return Duel(contenders, conditions).play();
}

} // namespace lamina::versus
