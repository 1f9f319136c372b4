// The search for a problem's best schedule on this machine.
#pragma once

#include "schedules/records.hpp"
#include "tuner/candidate.hpp"

#include <atomic>
#include <functional>

namespace lamina {

enum class Strategy : std::uint8_t {
    guided,     // by the families' own models, and around the best so far
    random,     // any legal point
    exhaustive, // all points, or as many as fit, in the order of the models
};

// How the search stands, for whoever looks on.
struct TuningState {
    std::size_t tried = 0, limit = 0; // points
    std::string best;                 // schedule
    double best_ratio = 1;            // of its time to the incumbent's
    double seconds_left = 0;
};

struct TuningOptions {
    const TargetFacts* target = nullptr;
    std::string records; // folder of the incumbent, "" for none
    double seconds = 60;
    std::size_t points = 0; // to try; 0: a tenth of the space, at least 24
    Strategy strategy = Strategy::guided;
    std::uint64_t seed = 1;
    const std::atomic<bool>* stop = nullptr; // ends the search early; what was found counts
    std::function<void(const TuningState&)> on_progress;
};

// One point that was tried.
struct Trial {
    std::string schedule;
    double expected_cycles = 0;  // by the family's model
    double predicted_cycles = 0; // by it and LLVM's model of the CPU, 0 where neither says anything
    double ratio = 0;            // of its time to the incumbent's, 0 where it has none
    std::string error;           // why it was refused
};

struct TuningResult {
    std::string error; // why the problem could not be tuned at all
    std::size_t space = 0;
    std::vector<Trial> trials;
    std::string incumbent, incumbent_reason; // the schedule to beat, and where it is from
    Record best;                             // with its evidence; the incumbent where nothing beat it
    double ratio = 1, noise = 0;             // of the best's time to the incumbent's; half its middle half
    bool is_better = false;                  // by more than the noise
};

TuningResult tune(const Problem& problem, const TuningOptions& options);

} // namespace lamina
