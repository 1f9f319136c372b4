// What the files of the family direct know of each other: limits of a schedule are in direct.cpp, what it
// fetches ahead in direct_ahead.cpp, what it costs and the default in direct_cost.cpp.
#pragma once

#include "schedules/nests.hpp"

namespace lamina::direct {

struct Geometry {
    int out_height, out_width, positions; // of one map
    int group_in, group_out;              // channels of one group
    int window;                           // kernel elements per channel
    int lanes;                            // 32-bit lanes of one vector
};

// The problem whose sums are computed: a convolution, and where they know no image one of one image.
Problem sums_of(const Situation& s);

Geometry geometry(const Situation& s);

// A kernel that is gone through once for each few positions comes in order, which the core fetches ahead by
// itself: 8 MB of a dense layer's took a quarter longer with prefetches.
constexpr int few_positions = 4;

// Accumulators, one tile's kernel vectors and one broadcast input share the registers. A single position's
// kernel vectors are read by the multiply-adds themselves.
constexpr std::int64_t registers_used(std::int64_t vectors, std::int64_t positions) {
    return vectors * positions + (positions == 1 ? 1 : vectors) + 1;
}

// What is worth a look of each knob.
std::vector<int> vector_choices(const Situation& s);
std::vector<int> position_choices(const Situation& s);
std::vector<int> strip_choices(const Situation& s);
std::vector<int> chunk_choices(const Situation& s);
std::vector<int> unroll_choices(const Situation& s);

// Why tiles leave out nothing, or "": elements of the kernel can meet padding alone only where zeros are put
// around the input.
std::string why_no_skip(const Situation& s);

// Columns of the kernel are left out where it is known of each of a tile's positions which column of the map
// it is, and each of the kernel's columns has code of its own.
bool skips_columns(const Situation& s, int positions);

// Bytes of the kernel that a tile goes through.
double block_bytes(const Situation& s, int vectors);

// What tiles fetch ahead: the next block's kernel, the next strip's input, the next block's results. The knob
// `ahead` is a sum of these.
constexpr int ahead_kernel = 1, ahead_input = 2, ahead_results = 4;

std::vector<int> ahead_choices(const Situation& s);

// Why these are not fetched, naming the knob and the value, or "".
std::string why_not_ahead(const Situation& s, int ahead, int vectors, int strip);

// Whether strips of so many rows fetch the next one's input by default.
bool fetches_input_by_default(const Situation& s, int strip);

int default_ahead(const Situation& s, int vectors, int positions, int strip);

// Tiles of a strip.
int strip_tiles(const Situation& s, const Knobs& knobs);

// How a strip's tiles fetch the next one's input.
InputPrefetch input_prefetch(const Situation& s, const Knobs& knobs);

// Vectors of multiply-adds of an image.
double vector_count(const Situation& s);

Knobs defaults(const Situation& s, const Knobs& given);

// Cycles of an image.
double cost(const Situation& s, const Knobs& knobs);

} // namespace lamina::direct
