// A schedule family: how one kind of loop nest is put on an algorithm, and for which problems and targets it
// may be.
#pragma once

#include "lamina/problem_text.hpp"
#include "schedules/schedule_text.hpp"
#include "schedules/stages.hpp"
#include "schedules/target_facts.hpp"

namespace lamina {

// What a schedule is made for.
struct Situation {
    Problem problem;
    const TargetFacts* target = nullptr;
};

// What a family asks of the algorithm, so that layer arithmetic stays in the generators.
struct AlgorithmRequest {
    int kernel_block =
        0; // output channels that stand together in the packed kernel; 0 keeps the kernel's own order
    int kernel_chunk =
        0; // input channels between whose runs the packed kernel goes through the window; 0 means all
    bool is_linear = false; // sum over linear positions
    int tile_positions = 0; // linear positions whose sum leaves out the kernel's rows that meet padding alone
                            // for all of them; 0: nothing is left out
};

struct Knob {
    std::string_view name;
    std::string_view meaning;                     // what it sets, in which unit
    std::vector<int> (*values)(const Situation&); // worth trying, ascending
};

struct Family {
    std::string_view name;
    std::string_view meaning;
    std::vector<Knob> knobs;
    std::string (*legal)(const Situation&,
                         const Knobs&); // why not, naming the knob or key and its limit; or ""
    Knobs (*defaults)(const Situation&, const Knobs& given); // the analytic default of all knobs beside those
                                                             // given; asked only where the family fits at all
    std::string (*fits)(const Situation&);                   // why no knobs whatever make it fit, or ""
    AlgorithmRequest (*request)(const Situation&, const Knobs&);
    void (*apply)(Stages&, const Situation&, const Knobs&); // called with legal knobs only
    // Expected cycles of an image with legal knobs, by which the tuner orders what to try; null where all
    // knobs are worth the same.
    double (*cost)(const Situation&, const Knobs&) = nullptr;
};

// One row per family, the one to prefer first where several fit.
std::span<const Family* const> family_table();
const Family* find_family(std::string_view name);

// Why this family with these knobs cannot be used, or "". Knobs that are not given take their default.
std::string why_illegal(const Family& family, const Situation& situation, const Knobs& knobs);

extern const Family direct_family, depthwise_family, pool_family, gpu_tile_family, generic_family;

} // namespace lamina
