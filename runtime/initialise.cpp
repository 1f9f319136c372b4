#include "lamina/weights.hpp"

#include "weights_table.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace lamina {

namespace {

// The finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
// 2014): neighbouring numbers become unlike ones.
constexpr std::uint64_t mixed(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

// In double, which holds every fan that a buffer has room for exactly; sqrt and the division are correctly
// rounded everywhere.
float bound(const Extents& shape, Initialisation kind) {
    const int last = shape.rank() - 1;
    const auto size = static_cast<double>(shape.product());
    const double fan_in = size / static_cast<double>(shape[last]);
    const double fan_out = size / static_cast<double>(shape[last - 1]);
    return static_cast<float>(std::sqrt(6 / (kind == Initialisation::he ? fan_in : fan_in + fan_out)));
}

// An odd multiple of 2^-24 in (-1, 1), from the generator's best bits: exact in float, symmetric, never 0.
// The standard's distributions differ between libraries.
float signed_unit(std::uint64_t bits) {
    const auto k = static_cast<std::int32_t>(bits >> 40);
    return static_cast<float>(2 * k + 1 - (1 << 24)) * 0x1p-24F;
}

} // namespace

void initialise(std::span<float> weights, std::span<const Parameter> parameters, Initialisation kind,
                std::uint64_t seed) {
    std::fill(weights.begin(), weights.end(), 0.0F);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const Parameter& parameter = parameters[i];
        if (parameter.shape.rank() < 2 || !detail::lies_within(parameter, weights.size()))
            continue;
        std::mt19937_64 random(mixed(mixed(seed) + i)); // its numbers are the same everywhere
        const float limit = bound(parameter.shape, kind);
        for (float& value : weights.subspan(parameter.offset, detail::value_count(parameter)))
            value = limit * signed_unit(random());
    }
}

} // namespace lamina
