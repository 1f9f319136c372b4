// How weights begin.
#include "lamina/weights.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

using namespace lamina;

namespace {

constexpr Parameter trained[] = {
    {"a.kernel", {3, 3, 64, 128}, 0},
    {"a.bias", {128}, 73'728 + 32},
    {"b.kernel", {512, 100}, 73'920},
};

std::vector<float> initialised(Initialisation kind, std::uint64_t seed,
                               std::span<const Parameter> table = trained) {
    std::vector<float> weights(125'200, 7.0F);
    initialise(weights, table, kind, seed);
    return weights;
}

std::span<const float> values_of(const std::vector<float>& weights, const Parameter& parameter) {
    return std::span(weights).subspan(parameter.offset, static_cast<std::size_t>(parameter.shape.product()));
}

// FNV-1a.
std::uint64_t checksum(std::span<const float> values) {
    std::uint64_t sum = 0xcbf29ce484222325;
    for (const std::byte byte : std::as_bytes(values))
        sum = (sum ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3;
    return sum;
}

} // namespace

TEST_CASE("initialise: kernels are uniform within the formula's bounds, all else is 0", "[initialise]") {
    struct Case {
        Initialisation kind;
        double a, b; // the bounds of the two kernels
    };
    const Case cases[] = {
        {Initialisation::he, std::sqrt(6.0 / (9 * 64)), std::sqrt(6.0 / 512)},
        {Initialisation::glorot, std::sqrt(6.0 / (9 * (64 + 128))), std::sqrt(6.0 / (512 + 100))},
    };
    for (const Case& c : cases) {
        const std::vector<float> weights = initialised(c.kind, 1);
        for (const auto& [parameter, limit] : {std::pair(trained[0], c.a), std::pair(trained[2], c.b)}) {
            const auto values = values_of(weights, parameter);
            const auto count = static_cast<double>(values.size());
            double sum = 0, squares = 0, largest = 0;
            std::array<int, 8> bins{};
            for (const double value : values) {
                sum += value;
                squares += value * value;
                largest = std::max(largest, std::abs(value));
                ++bins[static_cast<std::size_t>(std::min(7.0, (value / limit + 1) * 4))];
            }
            CHECK(largest <= limit * (1 + 1e-7));
            CHECK(largest > limit * 0.999);
            // Five standard deviations: of the mean limit / sqrt(3n), of the variance limit^2 sqrt(4 / 45n).
            CHECK(std::abs(sum / count) < 5 * limit / std::sqrt(3 * count));
            CHECK(std::abs(squares / count - limit * limit / 3) <
                  5 * limit * limit * std::sqrt(4 / (45 * count)));
            for (const int bin : bins)
                CHECK(std::abs(bin - count / 8) < 5 * std::sqrt(count * 7 / 64));
        }
        for (std::size_t i = 73'728; i < 73'920; ++i)
            REQUIRE(std::bit_cast<std::uint32_t>(weights[i]) == 0);
        for (std::size_t i = 125'120; i < 125'200; ++i)
            REQUIRE(std::bit_cast<std::uint32_t>(weights[i]) == 0);
    }
}

TEST_CASE("initialise: a seed gives the same bits everywhere, another seed others", "[initialise]") {
    CHECK(checksum(initialised(Initialisation::he, 1)) == 0xe1e8b623fed46747);
    CHECK(checksum(initialised(Initialisation::glorot, 1)) == 0x3f78498a5e3e28b6);
    CHECK(checksum(initialised(Initialisation::he, UINT64_MAX)) == 0xbcc575aa3deef198);
    std::vector<float> firsts;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        const std::vector<float> weights = initialised(Initialisation::he, seed);
        firsts.push_back(weights[0]);
        firsts.push_back(weights[trained[2].offset] * std::sqrt(512.0F / 576));
    }
    std::ranges::sort(firsts);
    CHECK(std::ranges::adjacent_find(firsts) == firsts.end());
}

TEST_CASE("initialise: a parameter's values do not depend on the others' sizes", "[initialise]") {
    const Parameter other[] = {{"a", {1, 1, 5, 4}, 0}, {"b", {7}, 20}, {"c", {512, 100}, 64}};
    const std::vector<float> weights = initialised(Initialisation::he, 5);
    const std::vector<float> others = initialised(Initialisation::he, 5, other);
    CHECK(std::ranges::equal(std::as_bytes(values_of(weights, trained[2])),
                             std::as_bytes(values_of(others, other[2]))));
}

TEST_CASE("initialise: a parameter outside the buffer is left out", "[initialise]") {
    const Parameter table[] = {{"a", {3, 5}, 0}, {"b", {2, 2}, SIZE_MAX}, {"c", {0, 4}, 0}, {"d", {2, 2}, 8}};
    std::array<float, 12> weights{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    initialise(weights, table, Initialisation::he, 1);
    for (std::size_t i = 0; i < weights.size(); ++i)
        CHECK((weights[i] != 0) == (i >= 8));
    initialise({}, {}, Initialisation::he, 1);
}
