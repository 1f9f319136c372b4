// Pieces of loop nests and of their limits that several families share.
#pragma once

#include "schedules/family.hpp"

#include <algorithm>
#include <cmath>

namespace lamina {

constexpr int ceil_div(int a, int b) {
    return (a + b - 1) / b;
}

inline bool contains(const std::vector<int>& values, int value) {
    for (int v : values)
        if (v == value)
            return true;
    return false;
}

// The value given for a knob, or else all that are worth a look.
std::vector<int> open_choices(const Knobs& given, std::string_view name, std::vector<int> choices);

// All divisors, ascending.
std::vector<int> divisors(int number);

// The lengths of the parts that so many elements can be cut into without more parts than are needed,
// ascending: the last part may be shorter.
std::vector<int> even_parts(int elements);

// Lanes of the shortest vector that holds `extent` values, at most the target's full vector.
int lanes_for(const TargetFacts& target, int extent);

// Lanes of the longest vector that `extent` fills, at most the target's full vector.
int full_lanes_for(const TargetFacts& target, int extent);

// How vectors of output channels end: masked loads and stores where the last block is not full, so that no
// byte behind it is touched.
Halide::TailStrategy channel_tail(int channels, int block);

// Registers of a tile of a x b accumulators: those, the values of the side that has fewer of them, and one of
// the other.
constexpr std::int64_t tile_registers(std::int64_t a, std::int64_t b) {
    return a * b + std::min(a, b) + 1;
}

// Cycles a step that a register tile of so many positions loses to accumulators in memory, although it has
// registers for all: LLVM loads what the next steps need early. Measured on a Zen 5 with two vectors: 3x3
// 256->256 on 14x14, 0.96 of the peak with 14 positions, which leave one register, 1.03 with seven.
constexpr double spilling(const TargetFacts& target, std::int64_t registers_used, int positions) {
    return positions > 8 && registers_used + 1 >= target.vector_registers ? 1.5 : 0;
}

constexpr double image_elements(const Shape& map) {
    return 1.0 * map.height * map.width * map.channels;
}

// By how much longer a default may take than the quickest schedule for having so many tasks that two threads
// share them evenly: 1.3 for not being a single task, which leaves all but one thread without work, 1.1 for
// not being three.
constexpr double worth_of_tasks(double tasks) {
    return 1 + 0.3 * (2 * std::ceil(tasks / 2) / tasks - 1);
}

// Cycles of what is worth several threads: they take about 1 us to begin, and this would be 4 us.
constexpr double worth_threads = 16000;

// Whether loops inside so many tasks are to be tasks as well. With few, those that have none any more would
// wait long for the last ones.
constexpr bool needs_inner_tasks(int tasks_per_image, int batch) {
    return std::int64_t{tasks_per_image} * std::max(batch, 1) < 32;
}

// Bytes that a kernel may take for itself: as many as its maps of so many elements, or where these are small
// `small_scratch_bytes`.
constexpr std::int64_t small_scratch_bytes = 2 << 20;
constexpr double most_scratch_bytes(double map_elements) {
    return std::max<double>(small_scratch_bytes, 4 * map_elements);
}

// Whether all images' maps, of a problem as as_convolution() gives it, take more than the caches that cores
// share are taken to hold, so that they come from memory.
bool are_maps_far(const Problem& problem);

// Bytes of the padded input that so many rows of the output look at.
double padded_bytes(const Problem& problem, int output_rows);

// Bytes of the map, with zeros around it, that so many rows of a transposed convolution's first phase look
// at, which has so many columns.
double phase_bytes(const Problem& problem, int columns, int rows);

// Stores the padded input, where there is one, for each turn of the loop over `level`.
void store_padded(Stages& a, const Situation& s, const Halide::Var& level);

// Stores an input that is computed, and then read without padding, for each turn of the loop over `level`,
// which makes so many rows of the output.
void store_unpadded(Stages& a, const Situation& s, const Halide::Var& level, int rows);

// Whether the problem is one sum of products with a kernel, without another one or a pool behind it.
constexpr bool is_one_sum(const Problem& p) {
    return reads_kernel(p.op) && p.op != Operator::separable_convolution &&
           p.op != Operator::pooled_cross_correlation;
}

// Why the padding or the target does not suit a family that computes sums on CPUs, or ""; and one that
// computes a single sum of products.
std::string why_not_cpu_sums(const Situation& s);
std::string why_not_one_cpu_sum(const Situation& s);

// What a loop of that extent is worth being unrolled by: its divisors, at most 8.
std::vector<int> unrolls_of(int extent);

// Sums a register tile of channels and linear positions at that level, over so many input channels before the
// next ones, some of them at each turn of the innermost loop.
void schedule_register_tile(Stages& a, const Halide::LoopLevel& level, int lanes, int chunk, int unroll);

// Cycles that a step of a register tile's sum takes to get the kernel's elements of so many output channels
// from the L2 cache. Measured with AVX-512 on an Emerald Rapids: 1x1 512->128 on 28x28, 0.79 of the peak with
// four vectors of four positions and 0.94 with four of six.
constexpr double kernel_cycles(int channels) {
    constexpr double l2_bytes_per_cycle = 24;
    return 4.0 * channels / l2_bytes_per_cycle;
}

// Whether what a tile goes through stays in the L1 cache until the next tile does. Measured there: 1x1
// 128->512, 32 KiB for four vectors, 0.94 of the peak with four of four positions and 0.90 with four of six.
// (The L1 cache of a target is that of its smallest core; others' is half as large again.)
constexpr bool stays_in_l1(const TargetFacts& target, double bytes) {
    return bytes <= 1.25 * target.l1_bytes;
}

// Parts into which the rows of windows may be cut for the gradient of a kernel, each of which has one of its
// own: powers of two. And why strips of so many rows cannot be so many parts of them, or ""; strips of one
// part are all as long.
std::vector<int> gradient_part_choices(int windows);
std::string why_no_room_for_gradients(int parts, std::int64_t gradient_bytes);
std::string why_not_gradient_parts(int windows, int rows, int parts, std::int64_t gradient_bytes);

// The parts to choose from for a default: those that are worth a task each of all the cycles that a call
// takes, and whose gradients stay in the L2 cache; 1 where none is.
std::vector<int> gradient_parts_for(const TargetFacts& target, int windows, double cycles,
                                    std::int64_t gradient_bytes);

// How much longer these parts take than as many as there could be threads, of which none is longer than
// another.
double gradient_part_unevenness(int windows, int rows, int parts);

// Why tiles of so many columns would compute some of `width` twice, where no element may be, or "".
std::string why_computed_twice(const Situation& s, std::string_view knob, int columns, int width);

// Why the target or the layout does not suit a nest that keeps channels apart, in vectors, or "".
std::string why_not_channelwise(const Situation& s);

// Columns of a map of that width that such a nest may compute together, each with an accumulator; two
// registers are left to what they are computed from. And why it may not compute so many, or "".
std::vector<int> column_choices(const TargetFacts& target, int width);
std::string why_not_columns(const TargetFacts& target, int width, int columns);

// Elements of the largest window that is unrolled; beyond, code grows and compile time with it.
constexpr int most_unrolled_taps = 49;

// Rows in vectors, of which so many are computed together, and so many elements by one task.
struct ElementwiseNest {
    int vectors = 1;
    int elements = 1 << 14;
};

// The nest of the family elementwise: each element of the output is computed once, together with those of its
// vector, and stored when these and the shared Funcs have read what they need.
void schedule_elementwise(Stages& a, const Situation& s, const ElementwiseNest& nest);

// The generic nest for whatever of an algorithm a family leaves alone.
void schedule_generically(Stages& a, const Situation& s);

} // namespace lamina
