// Halide's own autoschedulers as families: baselines, taken only where they are named. They look at the whole
// algorithm, and every apply() is a search of its own.
#include "schedules/nests.hpp"

#include <fmt/format.h>

#include <filesystem>

#include <dlfcn.h>

namespace lamina {

namespace {

struct Autoscheduler {
    std::string_view name;    // in Halide
    std::string_view library; // which registers it when it is loaded
    bool has_beam;
};

constexpr Autoscheduler adams = {"Adams2019", "libautoschedule_adams2019.so", true};
constexpr Autoscheduler li = {"Li2018", "libautoschedule_li2018.so", false};
constexpr Autoscheduler mullapudi = {"Mullapudi2016", "libautoschedule_mullapudi2016.so", false};

// They lie beside libHalide.
std::filesystem::path halide_folder() {
    Dl_info info{};
    dladdr(reinterpret_cast<void*>(&Halide::load_plugin), &info);
    return info.dli_fname ? std::filesystem::path(info.dli_fname).parent_path() : std::filesystem::path();
}

template <const Autoscheduler& self>
const std::filesystem::path& library_path() {
    static const std::filesystem::path path = halide_folder() / self.library;
    return path;
}

template <const Autoscheduler& self>
std::string fits(const Situation& s) {
    static const bool is_there = std::filesystem::exists(library_path<self>());
    if (!is_there)
        return fmt::format("this Halide has no {}", library_path<self>().string());
    if (s.problem.in.batch == open_batch)
        return "in=?: it may store stages of all images, whose size is then not known before the call";
    if (s.problem.indices)
        return "indices=yes: the first maximum counts, but it may visit the window in another order";
    return s.target->is_gpu ? fmt::format("target {} has no CPU vectors", s.target->name) : "";
}

std::vector<int> parallelism_choices(const Situation&) {
    return {1, 2, 4, 8, 16, 32, 64};
}
std::vector<int> beam_choices(const Situation&) {
    return {1, 2, 4, 8};
}

std::string legal(const Situation&, const Knobs& knobs) {
    for (const char* name : {"parallelism", "beam"})
        if (const int value = knobs.get(name, 1); value < 1 || value > 1024)
            return fmt::format("{}:{}: must be 1 to 1024", name, value);
    return "";
}

// For as many cores as Halide plans for by default, but greedily: with its default of 32, the search for a
// convolution of a few dozen channels takes minutes and gigabytes.
template <const Autoscheduler& self>
Knobs defaults(const Situation&, const Knobs&) {
    Knobs knobs{{"parallelism", 16}};
    if (self.has_beam)
        knobs.set("beam", 1);
    return knobs;
}

AlgorithmRequest request(const Situation&, const Knobs&) {
    return {};
}

template <const Autoscheduler& self>
void apply(Stages& a, const Situation& s, const Knobs& knobs) {
    static const bool is_loaded = (Halide::load_plugin(library_path<self>().string()), true);
    (void)is_loaded;
    Halide::AutoschedulerParams params{std::string(self.name),
                                       {{"parallelism", std::to_string(knobs.get("parallelism"))}}};
    if (self.has_beam)
        params.extra["beam_size"] = std::to_string(knobs.get("beam"));
    Halide::Pipeline(a.output).apply_autoscheduler(kernel_target(*s.target), params);
}

template <const Autoscheduler& self>
Family family(std::string_view name, std::string_view meaning) {
    std::vector<Knob> knobs{{"parallelism", "cores that it plans for", parallelism_choices}};
    if (self.has_beam)
        knobs.push_back({"beam", "partial schedules that its search keeps", beam_choices});
    return {.name = name,
            .meaning = meaning,
            .knobs = std::move(knobs),
            .legal = legal,
            .defaults = defaults<self>,
            .fits = fits<self>,
            .request = request,
            .apply = apply<self>,
            .is_baseline = true};
}

} // namespace

const Family adams2019_family =
    family<adams>("adams2019", "Halide's autoscheduler of 2019: beam search over a learned cost model");
const Family li2018_family =
    family<li>("li2018", "Halide's autoscheduler of 2018: rules, made for gradients");
const Family mullapudi2016_family =
    family<mullapudi>("mullapudi2016", "Halide's autoscheduler of 2016: greedy grouping and tiling");

} // namespace lamina
