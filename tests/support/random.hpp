// Random numbers that are the same with every compiler and library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace lamina::testing {

class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    // splitmix64, https://prng.di.unimi.it/splitmix64.c
    std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    // Of 0 to count - 1.
    int below(int count) { return static_cast<int>(next() % static_cast<std::uint64_t>(count)); }
    int between(int first, int last) { return first + below(last - first + 1); }
    bool chance(double probability) { return static_cast<double>(next() >> 11) * 0x1p-53 < probability; }
    int pick(std::initializer_list<int> values) {
        return values.begin()[below(static_cast<int>(values.size()))];
    }
    template <class Container>
    const auto& element_of(const Container& container) {
        return container[static_cast<std::size_t>(below(static_cast<int>(std::size(container))))];
    }

private:
    std::uint64_t state_;
};

// A seed that belongs to a text (FNV-1a).
constexpr std::uint64_t seed_of(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
}

} // namespace lamina::testing
