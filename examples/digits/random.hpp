// Random numbers that are the same bits with every standard library: its engines are, its distributions are
// not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <utility>

namespace digits {

class Random {
public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}

    // Evenly from [least, most).
    double between(double least, double most) {
        return least + (most - least) * (static_cast<double>(engine_() >> 11) * 0x1p-53);
    }

    template <class T>
    void shuffle(std::span<T> values) {
        for (std::size_t i = values.size(); i > 1; --i)
            std::swap(values[i - 1], values[engine_() % i]); // a bias of i / 2^64
    }

private:
    std::mt19937_64 engine_;
};

} // namespace digits
