// How the gradient of a depthwise kernel goes through its windows: position by position along each axis, with
// all elements of the kernel at once, and apart from them the positions at which some elements meet padding.
#pragma once

#include "lamina/equivalents.hpp"

namespace lamina {

// The layer whose windows the gradient of a kernel goes through: a transposed convolution's windows run over
// its output.
constexpr Problem window_layer(const Problem& gradient) {
    Problem layer = gradient;
    layer.op = detail::is_transposed(gradient.op) ? Operator::transposed_convolution_input_gradient
                                                  : forward_of(gradient.op);
    return as_convolution(layer);
}

// One axis. Positions are windows, or with `by_map` elements of the map that the windows run over, which is
// possible for a stride of 1: then a position's element of that map is loaded once for all elements of the
// kernel that meet it. `Number` is one, or an expression of them.
struct AxisSweep {
    int windows, elements; // of the map with a value for each window, and of the one that they run over
    int kernel, stride, dilation, padding;
    bool by_map;

    constexpr int positions() const { return by_map ? elements : windows; }
    template <class Number>
    Number window(const Number& position, const Number& tap) const {
        return by_map ? position + padding - tap * dilation : position;
    }
    template <class Number>
    Number element(const Number& position, const Number& tap) const {
        return by_map ? position : position * stride + tap * dilation - padding;
    }
    // Whether there are both.
    template <class Number>
    auto exist(const Number& position, const Number& tap) const {
        const Number at = by_map ? window(position, tap) : element(position, tap);
        return at >= 0 && at < (by_map ? windows : elements);
    }

    // All elements of the kernel count at positions `first` to `end` - 1.
    constexpr int first() const {
        const int before = by_map ? (kernel - 1) * dilation - padding : (padding + stride - 1) / stride;
        return before < 0 ? 0 : before < positions() ? before : positions();
    }
    constexpr int end() const {
        const int last =
            by_map ? windows - 1 - padding : floor_div(elements - 1 - (kernel - 1) * dilation + padding);
        const int behind = last + 1 < positions() ? last + 1 : positions();
        return behind > first() ? behind : first();
    }
    constexpr int edges() const { return positions() - (end() - first()); }

private:
    constexpr int floor_div(int reach) const { return reach < 0 ? -1 : reach / stride; }
};

struct WindowSweep {
    AxisSweep columns, rows;
};

// Columns run by the map where they can, rows by windows.
constexpr WindowSweep window_sweep(const Problem& gradient) {
    const Problem layer = window_layer(gradient);
    const Shape windows = detail::is_transposed(gradient.op) ? gradient.in : output_shape(gradient);
    const detail::Axis columns = detail::columns(layer), rows = detail::rows(layer);
    return {{windows.width, layer.in.width, layer.kernel_size.width, layer.stride.width, layer.dilation.width,
             static_cast<int>(columns.begin), layer.stride.width == 1},
            {windows.height, layer.in.height, layer.kernel_size.height, layer.stride.height,
             layer.dilation.height, static_cast<int>(rows.begin), false}};
}

} // namespace lamina
