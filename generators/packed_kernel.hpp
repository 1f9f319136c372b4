// How sums of products read their kernel: in its own order, or packed by blocks of output channels.
#pragma once

#include "generators/problem_generator.hpp"

namespace lamina {

// The kernel's axes as the sums see them, and how many output channels one block of the packed kernel holds.
struct KernelLayout {
    int out, in, width, height; // all channels that are computed, those of one group that are summed over
    int groups;
    int block;          // 0: the kernel's own order
    int tile;           // channels of the blocks that are summed side by side
    int chunk;          // divides `in`
    bool is_flipped;    // the sum runs over the kernel backwards
    bool is_matrix;     // the kernel has no window's axes
    bool is_transposed; // what is summed over are the kernel's output channels
    Size outputs;       // of a tile of Winograd's algorithm, whose transform the packed kernel has gone
                        // through; 0x0: none
    int blocks;         // of such a kernel, that stand together for each pair of points

    bool is_transformed() const { return outputs != Size(0); }
    // Columns and rows of the packed kernel of two channels.
    Size points() const {
        return is_transformed() ? Size(outputs.height + height - 1, outputs.width + width - 1)
                                : Size(height, width);
    }
};

KernelLayout kernel_layout(const Problem& problem, const AlgorithmRequest& request);

// The kernel that arrives with a call: packed or not.
class Kernel {
public:
    // Packs it within the call, as a.packed_kernel, where that is asked for and has not been done.
    Kernel(Stages& a, const Problem& problem, const OperatorInputs& inputs);

    const KernelLayout& layout() const { return layout_; }
    // What output channel `d` multiplies channel `c` of its group with, at column `x` and row `y` of the
    // window, or of the points that it has been transformed to.
    Halide::Expr at(const Halide::Expr& d, const Halide::Expr& c, const Halide::Expr& x,
                    const Halide::Expr& y) const;

private:
    KernelLayout layout_;
    Halide::Func func_;
    bool is_packed_ = false;
};

// The channel of the map under the window that output channel `d` meets at the window's channel `c`.
Halide::Expr input_channel(const Problem& problem, const Halide::Expr& d, const Halide::Expr& c);

} // namespace lamina
