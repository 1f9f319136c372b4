#include "generators/pool_windows.hpp"

namespace lamina {

using Halide::Expr;

Expr counted(const detail::Axis& axis, const Expr& w, bool with_padding) {
    const auto stride = static_cast<int>(axis.stride), kernel = static_cast<int>(axis.kernel);
    const auto begin = static_cast<int>(axis.begin), size = static_cast<int>(axis.size),
               end = static_cast<int>(axis.end);
    const int first = with_padding ? 0 : begin, last = begin + size + (with_padding ? end : 0);
    return min(w * stride + kernel, last) - max(w * stride, first);
}

Expr nearest(const Expr& position, const detail::Axis& axis) {
    if (axis.begin == 0 && axis.end == 0)
        return position;
    return clamp(position - static_cast<int>(axis.begin), 0, static_cast<int>(axis.size) - 1);
}

Cover cover(const Expr& at, const Expr& tap, const detail::Axis& axis, int windows) {
    const auto stride = static_cast<int>(axis.stride);
    const Expr from = at + static_cast<int>(axis.begin) - tap * static_cast<int>(axis.dilation);
    return {clamp(from / stride, 0, windows - 1), from >= 0 && from < windows * stride && from % stride == 0};
}

} // namespace lamina
