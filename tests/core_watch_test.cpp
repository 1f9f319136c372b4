#include "tuner/core_watch.hpp"

#include <catch2/catch.hpp>

using namespace lamina;

namespace {

// A look may be disturbed, twenty hardly.
double most_of(CoreWatch& watch) {
    double most = 0;
    for (int i = 0; i < 20; ++i)
        most = std::max(most, watch.look());
    return most;
}

} // namespace

TEST_CASE("A sample is judged by the looks before and after it", "[tuner]") {
    CoreWatch watch;
    CHECK(most_of(watch) > 1); // two independent additions a cycle, on any CPU of these targets
    const double issued = watch.look();
    const WatchedSample sample = watch.sample([] { return 42.0; });
    CHECK(sample.value == 42);
    CHECK(sample.issued <= issued);
}

TEST_CASE("Only what had the core to itself counts, and all where that is too little", "[tuner]") {
    CoreWatch watch;
    const double most = most_of(watch);
    const std::vector<WatchedSample> samples{{1, 2 * most}, {2, 0.5 * most}, {3, 2 * most}};
    CHECK(undisturbed(samples, watch) == std::vector<double>{1, 3});
    CHECK(undisturbed_or_all(samples, watch, 2) == std::vector<double>{1, 3});
    CHECK(undisturbed_or_all(samples, watch, 3) == std::vector<double>{1, 2, 3});
}
