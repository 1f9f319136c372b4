#include "generators/gradient_parts.hpp"

#include <optional>
#include <utility>

namespace lamina {

using Halide::Expr;
using Halide::Var;

void add_up_strips(Stages& a, const std::vector<Var>& axes, int divided, int parts, bool are_swapped) {
    std::vector<Expr> of_strip(axes.begin(), axes.end());
    for (int axis = 0; axis < a.strips.dimensions(); ++axis)
        of_strip.emplace_back(a.strips[axis]);
    if (parts == 1 && !are_swapped) {
        a.output(axes) = 0.0f;
        a.output(axes) += a.sum(of_strip);
        return;
    }
    std::vector<Var> of_part = axes;
    const Var part = of_part.emplace_back("part");
    of_strip[axes.size() + static_cast<std::size_t>(divided)] += part * a.strips[divided].extent();
    a.parts = Halide::Func("parts");
    a.parts(of_part) = 0.0f;
    a.parts(of_part) += a.sum(of_strip);
    std::vector<Expr> summed(axes.begin(), axes.end());
    if (are_swapped)
        std::swap(summed[0], summed[1]);
    Expr total = 0.0f;
    for (int number = 0; number < parts; ++number) {
        std::vector<Expr> at = summed;
        at.emplace_back(number);
        total += a.parts(at);
    }
    a.output(axes) = total;
}

void keep_within(Halide::RDom& window, int axis, const Expr& position, int first, int end) {
    const std::optional<std::int64_t> extent = Halide::Internal::as_const_int(window[axis].extent());
    if (extent == 1) {
        window.where(Halide::cast<std::uint32_t>(position - first) <
                     Halide::cast<std::uint32_t>(end - first));
        return;
    }
    window.where(position >= first && position < end);
}

} // namespace lamina
