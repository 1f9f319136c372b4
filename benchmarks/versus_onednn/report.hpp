// What was measured: a line for each problem, the groups' geometric means, JSON and a picture.
#pragma once

#include "benchmarks/versus_onednn/duel.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lamina::versus {

struct PeerTime {
    std::string name; // the implementation
    DuelTime time;
};

struct Comparison {
    std::string problem, group, schedule;
    std::string because;           // where the schedule comes from
    double scratch = 0, limit = 0; // bytes of a call; at most 2 MiB, or as much as its maps take
    int threads = 1;
    double operations = 0; // of one call
    double peak_gflops = 0;
    DuelTime lamina;
    std::optional<PeerTime> preferred, plain; // oneDNN's fastest in layouts of its choice, and in Lamina's
    std::string absent;                       // why nothing was compared, or empty
    std::string error;                        // what is wrong, results that differ for one, or empty

    double gflops(const DuelTime& time) const { return operations / time.seconds / 1e9; }
    double fraction(const DuelTime& time) const {
        return peak_gflops > 0 ? gflops(time) / (peak_gflops * threads) : 0;
    }
    // Time of oneDNN over time of Lamina.
    double ratio(const PeerTime& peer) const { return peer.time.seconds / lamina.seconds; }
};

struct Group {
    std::string name;
    std::size_t problems = 0, left_out = 0; // compared, and not
    // Geometric means: of `preferred`, of `plain`, and of whichever is faster in each problem.
    std::optional<double> ratio, plain_ratio, fastest_ratio;
    std::string absent; // why there are none, or empty
};

struct Report {
    std::string target, peer;
    std::vector<Comparison> comparisons;
};

std::string line_head();
std::string line(const Comparison& comparison);

// Every group, those without a problem too.
std::vector<Group> groups_of(const std::vector<Comparison>& comparisons);
std::string summary(const std::vector<Group>& groups);

// How many schedules come from records, and the most scratch; whose is above its limit.
std::string origins(const std::vector<Comparison>& comparisons);

std::string json_text(const Report& report);
std::string picture(const Report& report);

} // namespace lamina::versus
