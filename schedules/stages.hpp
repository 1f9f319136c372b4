// An operator's unscheduled Funcs, by the roles that schedule families know them under.
#pragma once

#include <Halide.h>

#include <vector>

namespace lamina {

// Internal Funcs are indexed (c, x, y, n) in every layout; only `output` has its arguments in memory order,
// the contiguous one first. Where maps are linear, sum and output run over positions p = x + width*y instead,
// as (c, p, y, n) with one y: Halide bounds a fused loop over x and y by whole rows, but a tile of positions
// by itself. The bytes of the maps are the same. Where tiles of positions leave out rows of the kernel, the
// sum has the tile's number in the place of y, because what is left out depends on it.
struct Stages {
    Halide::Func padded; // the input with its padding, in padded coordinates; undefined where the input is
                         // read as it is
    Halide::Func
        sum; // what a window gathers: an initial value and one update over `window`; undefined without one
    Halide::RDom window; // (c, x, y) of the kernel, or (x, y) for operators that keep channels apart, or what
                         // is reduced
    Halide::Func output;
    Halide::Func
        packed_kernel; // the kernel packed in the same call; undefined where it arrives packed or plain
    std::vector<Halide::Func>
        shared; // Funcs without channels that every channel of an output uses, and theirs

    Halide::Var c{"c"}, x{"x"}, y{"y"}, n{"n"}; // of output, and of the internal Funcs
    Halide::Var p{"p"};                         // linear positions, in the place of x
    bool is_linear = false;
};

} // namespace lamina
