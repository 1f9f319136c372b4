// The search for a problem's best schedule on a CPU that is not here, by models alone.
#pragma once

#include "tuner/loop_report.hpp"
#include "tuner/tune.hpp"

namespace lamina {

// Expected cycles of an image: the family's own model, or what the hot loop takes by LLVM's model of the
// CPU's pipeline where that is more. Nothing where neither says anything.
std::optional<double> predicted_cycles(const Situation& situation, const Point& point,
                                       const LoopReport& report);

struct PredictionOptions {
    const TargetFacts* target = nullptr;
    std::string cpu;     // as in choose_cpu()
    std::string records; // folder of the incumbent, "" for none
    double seconds = 60;
    std::size_t points = 0;                  // to compile; 0: a tenth of the space, at least 24
    const std::atomic<bool>* stop = nullptr; // ends the search early; what was found counts
    std::function<void(const TuningState&)> on_progress;
    // Runs a kernel whose objects are still there and says why it is not right, or "".
    std::function<std::string(const CompiledKernel&)> why_wrong;
};

// The best by predicted_cycles() of the points that the families' models put first, checked by why_wrong().
// Its record says that it was predicted.
TuningResult predict(const Problem& problem, const PredictionOptions& options);

// Whether a record's figures are a prediction.
bool is_predicted(const Evidence& evidence);

} // namespace lamina
