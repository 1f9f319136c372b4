#include "tuner/core_watch.hpp"

#include "tuner/core_observers.hpp"

namespace lamina {

namespace {

constexpr int turns = 1000;

#if defined(__x86_64__)
#define LAMINA_ADD "add $1, %0\n"
#elif defined(__aarch64__)
#define LAMINA_ADD "add %0, %0, #1\n"
#else
#define LAMINA_ADD ""
#endif

// One addition a cycle, each waiting for the one before: another thread does not slow it, the clock's
// frequency does.
void run_chain() {
    long sum = 0;
    for (int turn = 0; turn < turns; ++turn)
        asm volatile(LAMINA_ADD LAMINA_ADD LAMINA_ADD LAMINA_ADD LAMINA_ADD LAMINA_ADD LAMINA_ADD LAMINA_ADD
                     : "+r"(sum));
}

#if defined(__x86_64__)
#define LAMINA_ISSUE_EIGHT                                                                                   \
    asm volatile("add $1, %0\n nop\n add $1, %1\n nop\n add $1, %2\n nop\n add $1, %3\n nop"                 \
                 : "+r"(a), "+r"(b), "+r"(c), "+r"(d));
#elif defined(__aarch64__)
#define LAMINA_ISSUE_EIGHT                                                                                   \
    asm volatile("add %0, %0, #1\n nop\n add %1, %1, #1\n nop\n add %2, %2, #1\n nop\n add %3, %3, #1\n nop" \
                 : "+r"(a), "+r"(b), "+r"(c), "+r"(d));
#else
#define LAMINA_ISSUE_EIGHT
#endif

// As many instructions a cycle as the core issues: half of them need no unit at all.
void run_wide() {
    long a = 0, b = 0, c = 0, d = 0;
    for (int turn = 0; turn < turns; ++turn) {
        LAMINA_ISSUE_EIGHT
        LAMINA_ISSUE_EIGHT
        LAMINA_ISSUE_EIGHT
        LAMINA_ISSUE_EIGHT
    }
    asm volatile("" : : "r"(a), "r"(b), "r"(c), "r"(d));
}

template <class Loop>
double seconds_of(const Loop& loop) {
    const double start = now_seconds();
    loop();
    return now_seconds() - start;
}

// Instructions per cycle of this core now; 0 where that cannot be told.
double issued_now() {
#if defined(__x86_64__) || defined(__aarch64__)
    const double before = seconds_of(run_chain), wide = seconds_of(run_wide), after = seconds_of(run_chain);
    // An interrupt in a chain, or a clock that changes, would make the core look faster than it is.
    const bool is_steady = std::max(before, after) < 1.02 * std::min(before, after);
    return is_steady ? 4.0 * std::min(before, after) / wide : 0;
#else
    return 0;
#endif
}

} // namespace

CoreWatch::CoreWatch() {
    for (int i = 0; i < 300; ++i)
        look();
}

void CoreWatch::watch_all_cores() {
    observers_ = std::make_shared<CoreObservers>(issued_now);
}

double CoreWatch::look() {
    last_ = observers_ ? observers_->least() : issued_now();
    most_ = std::max(most_, last_);
    return last_;
}

std::vector<double> undisturbed(std::span<const WatchedSample> samples, double most) {
    std::vector<double> values;
    for (const WatchedSample& sample : samples)
        if (is_alone(sample, most))
            values.push_back(sample.value);
    return values;
}

std::vector<double> undisturbed_or_all(std::span<const WatchedSample> samples, double most,
                                       std::size_t fewest) {
    std::vector<double> values = undisturbed(samples, most);
    if (values.size() >= fewest)
        return values;
    values.clear();
    for (const WatchedSample& sample : samples)
        values.push_back(sample.value);
    return values;
}

} // namespace lamina
