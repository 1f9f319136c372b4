#include "tuner/core_watch.hpp"

#include <catch2/catch.hpp>

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
