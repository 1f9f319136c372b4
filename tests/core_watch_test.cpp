#include "tuner/core_observers.hpp"
#include "tuner/core_watch.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>

using namespace lamina;

TEST_CASE("A sample is judged by the looks before and after it", "[tuner]") {
    CoreWatch watch;
    CHECK(watch.most() > 1); // two independent additions a cycle, on any CPU of these targets
    const double before = watch.look();
    const WatchedSample sample = watch.sample([] { return 42.0; });
    CHECK(sample.value == 42);
    CHECK(sample.issued <= before);
    CHECK(before <= watch.most());
}

// What the core issued is given, not looked at: another program's work may halve that at any moment.
TEST_CASE("Only what had the core to itself counts, and all where that is too little", "[tuner]") {
    const double most = 4;
    const std::vector<WatchedSample> samples{{1, 4}, {2, 2}, {3, 3.9}};
    CHECK(undisturbed(samples, most) == std::vector<double>{1, 3});
    CHECK(undisturbed_or_all(samples, most, 2) == std::vector<double>{1, 3});
    CHECK(undisturbed_or_all(samples, most, 3) == std::vector<double>{1, 2, 3});
}

TEST_CASE("Calls of several threads are judged by looks at all cores", "[tuner]") {
    CoreWatch watch;
    watch.watch_all_cores();
    std::vector<WatchedSample> calls;
    int runs = 0;
    const double before = watch.look();
    watch.sample_calls([&] { ++runs; }, calls);
    CHECK(runs > static_cast<int>(calls.size())); // the first ones bring the threads back
    CHECK(calls.size() > 1);
    CHECK(calls[0].issued <= before);
    CHECK(std::ranges::all_of(
        calls, [&](const WatchedSample& call) { return call.value >= 0 && call.issued == calls[0].issued; }));
}

TEST_CASE("A look at all cores is one at each, and gives the least", "[tuner]") {
    static std::atomic<int> looks;
    looks = 0;
    const std::size_t cores = std::max<std::size_t>(allowed_cores().size(), 1);
    CoreObservers observers(+[] { return 10.0 - ++looks; });
    const PinnedCore pinned; // else this thread may move to the core of one that it waits for
    for (int turn = 1; turn <= 100; ++turn) {
        looks = 0;
        CHECK(observers.least() == 10.0 - static_cast<double>(cores));
        CHECK(static_cast<std::size_t>(looks) == cores);
    }
}
