// A schedule family: how one kind of loop nest is put on an algorithm, and for which problems and targets it
// may be.
#pragma once

#include "lamina/problem_text.hpp"
#include "schedules/schedule_text.hpp"
#include "schedules/stages.hpp"
#include "schedules/target_facts.hpp"

#include <array>
#include <vector>

namespace lamina {

// What a schedule is made for.
struct Situation {
    Problem problem;
    const TargetFacts* target = nullptr;
    bool is_packed_in_calls = false; // the kernel is packed before each call, so that a packed one is scratch
};

// How the gradient of a kernel goes through the windows.
struct WindowRequest {
    int rows = 0; // of windows that are summed together; 0: all, from the maps as they are, and the rest of
                  // this is not looked at
    bool has_all_images = false; // whether they are summed over all images, too
    bool skips_padding = false;  // windows in which an element meets zeros around the input are left out
    // Input channels that stand together in the stored maps, output channels by kernel_block.
    int channels = 0;
    int columns = 0; // of the sweep of a depthwise kernel's gradient that are unrolled, see window_sweep.hpp;
                     // its maps are read as they are then
    int runs = 1;    // of the columns, which are summed one after the other
    int parts = 1;   // of the rows or positions, each of which has a gradient of its own
    int positions = 0; // that are summed together where a window is one position and each map is one row of
                       // them; 0: windows have rows, of which the rest of this speaks
    bool along_inputs = false; // such sums stand with their input channels innermost, and are transposed
    int prefetch_lines = 0;    // of the next strip of positions that a tile fetches at each position, see
                               // with_strip_prefetch()
};

// How Winograd's algorithm goes through a map: by blocks of tiles.
struct WinogradRequest {
    int outputs = 0; // rows and columns of the output that a tile gives, along axes on which the kernel has
                     // more than one element; 0: sums are direct, and the rest of this is not looked at
    int columns = 0, rows = 0;   // tiles of a block in each image
    int images = 0;              // of a block
    int blocks = 0;              // of kernel_block output channels whose packed kernels stand together
    bool pools_in_tiles = false; // the windows of a pool lie within tiles, whose transforms pool them
};

// How the depthwise sums of a separable convolution are stored between its two parts, strip by strip where
// maps are linear.
struct SeparableRequest {
    int columns =
        0; // of the output that are summed together: where padding is met, tiles are parts of their own
};

// A loop whose name ends so, and its turns.
struct NamedLoop {
    std::string_view ending;
    int turns = 1;
};

// How a strip of the output fetches the input that the next one reads; see with_input_prefetch().
struct InputPrefetch {
    int rows = 0;                  // of a strip; 0: nothing is fetched
    std::vector<NamedLoop> strips; // loops that count the strips of all images, outermost first; the first
                                   // one's turns are not looked at
    std::vector<NamedLoop> parts;  // loops through a strip, whose innermost turns fetch a part each
};

// How a tile fetches the lines of the next block's results; see with_result_prefetch().
struct ResultPrefetch {
    int positions = 0; // of a tile; 0: nothing is fetched
    int channels = 0;  // of a block
};

// What a family asks of the algorithm, so that layer arithmetic stays in the generators.
struct AlgorithmRequest {
    int kernel_block =
        0; // output channels that stand together in the packed kernel; 0 keeps the kernel's own order
    int kernel_blocks = 1; // blocks that a tile sums side by side; the packed kernel has a multiple of them
    int kernel_chunk =
        0; // input channels between whose runs the packed kernel goes through the window; 0 means all
    bool is_linear = false;     // sum over linear positions
    bool has_one_image = false; // what may be seen as one image with the rows of all is, see as_one_image()
    int strip_rows = 0;         // of the output that linear positions count through; 0: all of an image
    int tile_positions = 0;     // linear positions that are summed together, see Stages; 0: each by itself
    bool skips_rows = false;    // a tile leaves out the kernel's rows that meet padding alone
    bool skips_columns =
        false;              // each of its positions also leaves out the columns that it meets padding with
    int prefetch_tiles = 0; // tiles of a block of output channels that each fetch a part of the next block's
                            // packed kernel, see with_kernel_prefetch(); 0: none does
    InputPrefetch input_prefetch = {};
    ResultPrefetch result_prefetch = {};
    WindowRequest window = {};
    bool has_phases = false;    // a transposed convolution is summed phase by phase of its stride
    bool skips_padding = false; // a depthwise convolution reads its map as it is, and its sums leave out what
                                // lies in padding or between the elements of a transposed one
    WinogradRequest winograd = {};
    SeparableRequest separable = {};
};

// The problem whose sums such an algorithm computes, and whose maps it sees.
inline Problem sums_as_requested(const Problem& problem, const AlgorithmRequest& request) {
    const Problem p = as_convolution(problem);
    return request.has_one_image ? as_one_image(p) : p;
}

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
                                                             // given, none below its knob's least value;
                                                             // asked only where the family fits at all
    std::string (*fits)(const Situation&);                   // why no knobs whatever make it fit, or ""
    AlgorithmRequest (*request)(const Situation&, const Knobs&);
    void (*apply)(Stages&, const Situation&, const Knobs&); // called with legal knobs only
    // Expected cycles of an image with legal knobs, by which the tuner orders what to try; null where all
    // knobs are worth the same.
    double (*cost)(const Situation&, const Knobs&) = nullptr;
    bool is_baseline = false; // to compare others with: used only where it is named
    // Of a family that may be chosen unasked, whether it is where it fits and no family of the table's rows
    // before it is; null: always.
    bool (*is_preferred)(const Situation&) = nullptr;
    // Whether no element of the result is computed twice, and what it is made of is read before it is stored:
    // others are not used where a result may take an operand's memory, see may_be_in_place().
    bool computes_once = false;
    // Multiply-adds of an image with legal knobs; null: as many as the operator's own definition has.
    double (*multiply_adds)(const Situation&, const Knobs&) = nullptr;
};

// One row per family: those that may be chosen unasked, the one to prefer first where several fit; baselines;
// those of files outside Lamina, which the tuner tries as well. Rows are never taken away.
std::span<const Family* const> family_table();
std::span<const Family* const> default_families(); // the rows that may be chosen unasked
const Family* find_family(std::string_view name);

// Adds a row for good, before others read the table. Returns why not, or "".
std::string add_family(const Family& family);

// Why no knobs whatever make the family fit, or "".
std::string why_unfit(const Family& family, const Situation& situation);

// Why this family with these knobs cannot be used, or "". Knobs that are not given take their default.
std::string why_illegal(const Family& family, const Situation& situation, const Knobs& knobs);

extern const Family direct_family, dot_family, winograd_family, phases_family, depthwise_family, pool_family,
    pool_gradient_family, depthwise_kernel_gradient_family, pointwise_kernel_gradient_family,
    kernel_gradient_family, global_pool_family, separable_family, pooled_family, gpu_tile_family,
    elementwise_family, generic_family;
extern const Family adams2019_family, li2018_family, mullapudi2016_family;

// What a family in a shared object and the program that loads it must agree on.
struct FamilyInterface {
    int version = 3; // raised with every change of what a family and Lamina say to each other
    int halide = HALIDE_VERSION_MAJOR * 10'000 + HALIDE_VERSION_MINOR * 100 + HALIDE_VERSION_PATCH;
    std::size_t layout = sizeof(Family) + 101 * sizeof(Situation) + 103 * sizeof(Stages) +
                         107 * sizeof(Knobs) + 109 * sizeof(TargetFacts) + 113 * sizeof(AlgorithmRequest);
    friend constexpr bool operator==(const FamilyInterface&, const FamilyInterface&) = default;
};

// What such an object exports by the C name `lamina_families`.
struct FamilyExport {
    FamilyInterface interface; // read first; where it differs, the rest means nothing
    const Family* const* families;
    std::size_t count;
};

namespace detail {
template <class... Families>
constexpr std::array<const Family*, sizeof...(Families)> addresses(const Families&... families) {
    static_assert(sizeof...(Families) > 0, "LAMINA_REGISTER_FAMILY takes the families' names");
    return {&families...};
}
} // namespace detail

} // namespace lamina

// LAMINA_REGISTER_FAMILY(family...): once in a file outside Lamina, at namespace scope, for all constants of
// type lamina::Family that it offers. See docs/writing-a-family.md.
#define LAMINA_REGISTER_FAMILY(...)                                                                          \
    static constexpr auto lamina_registered_families = ::lamina::detail::addresses(__VA_ARGS__);             \
    extern "C" {                                                                                             \
    __attribute__((visibility("default"))) extern const ::lamina::FamilyExport lamina_families;              \
    const ::lamina::FamilyExport lamina_families = {                                                         \
        {}, lamina_registered_families.data(), lamina_registered_families.size()};                           \
    }
