// How Winograd's algorithm cuts maps into tiles and blocks of them, what these take, and who computes them;
// see winograd.cpp.
#pragma once

#include "schedules/nests.hpp"

namespace lamina::winograd {

constexpr int most_points = 6; // along an axis; winograd_matrices() has no more

struct Geometry {
    Problem problem;         // the convolution
    Shape out;               // its output, as far as a pool behind it looks
    Shape result;            // the operator's output
    Size pool;               // the windows that are pooled, 1x1 without
    bool is_side_by_side;    // neither overlapping nor apart from each other, without padding
    int group_in, group_out; // channels of one group
    int lanes;
};

Geometry geometry(const Situation& s);

// What a tile is, with so many outputs along each axis that the kernel has more than one element on.
struct Tile {
    Size outputs, points;
    Size count; // of an image
};

Tile tile_of(const Geometry& g, int outputs);

// Whether the points of such a tile are no more than there are matrices for.
bool is_within(const Geometry& g, int outputs);

// A schedule's blocks, once its knobs are known.
struct Blocks {
    Tile tile;
    int columns, rows, images; // tiles and images of a block
    int block, register_tiles; // channels and tiles of a register tile
    int group;                 // output channels that are summed and transformed together
    bool pools_in_tiles;       // tiles hold whole windows of the pool, or there is nothing to pool

    int tiles() const { return columns * rows * images; }
    int points() const { return tile.points.height * tile.points.width; }
    // Blocks of an image, at least one.
    Size count() const { return {ceil_div(tile.count.height, rows), ceil_div(tile.count.width, columns)}; }
};

Blocks blocks_of(const Geometry& g, const Knobs& knobs);

// Whether groups of channels and those that are summed together begin together.
bool is_whole_groups(const Geometry& g, const Blocks& b);

// Input channels whose part of a block's padded input is stored at a time: as many as leave room in the L1
// cache for the tiles that are made of it.
int padded_channels(const Situation& s, const Geometry& g, const Blocks& b);

// Of a transformed kernel.
double kernel_bytes(const Geometry& g, const Tile& tile);

// What a task's block keeps: the padded input, transformed tiles, sums, and tiles of the output where those
// do not hold what is pooled.
double block_bytes(const Situation& s, const Geometry& g, const Blocks& b);

// How threads share a call's blocks, an open batch counted as one image.
struct Sharing {
    int blocks, groups;    // of a call; of channels, in each block
    bool are_blocks_tasks; // or else they go one after the other, each transformed by all threads together
    bool are_groups_tasks;

    int tasks() const { return (are_blocks_tasks ? blocks : 1) * (are_groups_tasks ? groups : 1); }
};

Sharing sharing_of(const Geometry& g, const Blocks& b);

// What two threads keep.
double bytes_of_two(const Situation& s, const Geometry& g, const Blocks& b);

// What a task's block may keep at most: a kernel's scratch for so many images.
double most_block_bytes(const Geometry& g, int images);

// Why a kernel that is transformed before each call, and so is scratch as well, takes too much; or "".
std::string why_no_room_for_kernel(const Situation& s, const Geometry& g, int outputs);

// Why the windows of a pool cannot be pooled: those that cross tiles are where one block has all tiles of an
// image; or "".
std::string why_no_pool(const Situation& s, const Geometry& g, int outputs);

// The loops; see winograd_nest.cpp.
void apply(Stages& a, const Situation& s, const Knobs& knobs);

} // namespace lamina::winograd
