// An operator's unscheduled Funcs, by the roles that schedule families know them under.
#pragma once

#include <Halide.h>

#include <vector>

namespace lamina {

// The outputs of a transposed convolution that lie one stride apart.
struct StridePhase {
    Halide::RDom positions; // (x, y) of them, and of the sum
    Halide::Func padded, sum;
    Halide::RDom window; // (c, x, y) of the kernel's elements that meet the input there
};

// Of Winograd's algorithm: tiles of the input are transformed, multiplied with the packed kernel, which has
// been transformed as well, summed over the channels and transformed to tiles of the output. They are indexed
// (channel, tile, block's column, block's row, images' block, ...), ... being a pair of axes; those of the
// output (channel, tile's column, tile's row, image, ...).
struct WinogradStages {
    Halide::Func rows, input;     // ... (ax, y) with the transform along x alone, and (ax, ay)
    Halide::Func sum, products;   // ... (ax, ay): one register tile's, and what is stored of it
    Halide::Func columns, output; // ... (ax, y of the tile's outputs), and (x, y) of them
    Halide::RDom channels;        // of the sum
    Halide::Var t{"t"}, bx{"bx"}, by{"by"}, bn{"bn"}, ax{"ax"}, ay{"ay"}, column{"column"}, row{"row"};
};

// Of a convolution behind which there is a pool.
struct PoolStages {
    Halide::Func map; // what is pooled: (c, p, y, n) where maps are linear, else (c, x, y, n) with what is
                      // nearest in the pool's padding; undefined where nothing is, or tiles pool themselves
    Halide::Func maximum; // of each window, (c, x, y, n)
    Halide::RDom window;  // (x, y) of its elements
};

// A part of the windows that a depthwise kernel's gradient is summed over, see window_sweep.hpp.
struct SweepRegion {
    Halide::RDom positions;                           // (x within a group, group of columns, y) of the sweep
    bool is_column_edge = false, is_row_edge = false; // few positions, each of which is its own case
};

// Neighbouring columns of a separable convolution's depthwise sums that are computed alike.
struct DepthwisePart {
    int tile;               // columns that are computed together, of which there are whole tiles
    Halide::RDom positions; // (x, y) of them in their strip
    Halide::Func sum;       // by (c, x, y, n) of the map
    Halide::RDom window;    // (x, y) of the kernel's elements
};

// Internal Funcs are indexed (c, x, y, n) in every layout; only `output` has its arguments in memory order,
// the contiguous one first. Where maps are linear, sum and output run over positions p = x + width*y instead,
// as (c, p, y, n) with one y: Halide bounds a fused loop over x and y by whole rows, but a tile of positions
// by itself. The bytes of the maps are the same. In strips of rows, y is the strip's number and p counts from
// its beginning. Where the sums of a tile of positions are defined together, they are (c, p, x, y, n) with
// the tile's number in its strip as x, and p counts from the tile's beginning. Gradients of kernels are (d,
// c, x, y) of the kernel.
struct Stages {
    Halide::Func padded; // the input with its padding, in padded coordinates; undefined where the input is
                         // read as it is
    Halide::Func
        sum; // what a window gathers: an initial value and one update over `window`; undefined without one
    Halide::RDom window; // (c, x, y) of the kernel, or (x, y) for operators that keep channels apart, or what
                         // is reduced; (x, y, n) of the windows for gradients of kernels
    Halide::RDom strips; // (rows, images) of windows, or (runs of columns, rows, images), whose sums the
                         // output's update adds up; undefined where there is one
    Halide::Func parts;  // the gradient of a kernel as each part of the windows gives it, with the part's
                         // number behind the kernel's axes; undefined where there is one
    std::vector<SweepRegion> regions; // where there are any, update k of the sum goes through that of number
                                      // k, and there is no window
    Halide::Func blocked_in,
        blocked_out; // the maps of input and of output channels by blocks of these, (channel
                     // within its block, x, y, n, block); undefined where read as they are
    WinogradStages winograd;
    std::vector<StridePhase> phases; // where there are any, update k of the output is that of number k
    Halide::Func depthwise; // what the sum's window goes over, (c, p, y, n) in strips; undefined where there
                            // is none, or it is among the shared ones
    std::vector<DepthwisePart> depthwise_parts; // update k of it is that of number k
    PoolStages pool;                            // whose output is not linear
    Halide::Func unfolded; // the gradient of a padded input, whose padding is then added to the input's own;
                           // undefined where padding has none
    Halide::Func output;
    Halide::Func
        packed_kernel;  // the kernel packed in the same call; undefined where it arrives packed or plain
    int packed_run = 1; // neighbours in the packed kernel that are neighbours in the kernel as well
    std::vector<Halide::Func>
        shared; // what several elements or values of the output use: Funcs without channels, and theirs

    Halide::Var c{"c"}, x{"x"}, y{"y"}, n{"n"}; // of output, and of the internal Funcs
    Halide::Var p{"p"};                         // linear positions, in the place of x
    Halide::Var d{"d"};                         // output channels, where c are input channels
    bool is_linear = false;
};

} // namespace lamina
