#include "generators/pointwise_kernel_gradient.hpp"

#include "generators/gradient_parts.hpp"
#include "generators/sum_gradient.hpp"

namespace lamina {

using Halide::Expr;
using Halide::RDom;
using Halide::Var;

namespace {

// How the positions are cut: each part has so many strips, the last ones fewer or shorter ones.
struct Cut {
    int positions; // of an image where their number is open, else of all
    int strip, strips, parts;

    bool is_even() const { return positions == parts * strips * strip; }
};

Cut cut(const Problem& p, const WindowRequest& request) {
    const int images = p.in.batch == open_batch ? 1 : p.in.batch;
    const int positions = p.in.height * p.in.width * images, run = request.positions * request.parts;
    return {positions, request.positions, (positions + run - 1) / run, request.parts};
}

// The sums over each strip, of (kernel's axes, strip, image), or of the axes alone where that is all.
void sum_strips(Stages& a, const Problem& problem, const OperatorInputs& inputs, const std::vector<Var>& at) {
    const Problem p = as_pointwise(problem);
    const Cut c = cut(p, inputs.request.window);
    const Halide::Func gradient = sum_gradient(problem, inputs), &input = inputs["input"];
    const bool has_strips = at.size() > static_cast<std::size_t>(kernel_operand(problem).rank);
    a.window = RDom(0, c.strip, "window");
    Expr position = a.window[0], image = 0;
    if (has_strips) {
        position += at[at.size() - 2] * c.strip;
        image = at.back();
    }
    if (!c.is_even()) {
        a.window.where(position < c.positions);
        position = unsafe_promise_clamped(position, 0, c.positions - 1);
    }
    const WindowRequest& request = inputs.request.window;
    const Halide::Func &of_vectors = request.along_inputs ? input : gradient,
                       &of_broadcasts = request.along_inputs ? gradient : input;
    const int broadcasts = request.along_inputs ? p.out_channels : p.in.channels;
    // A tile's channels that are none have the values of the last one.
    const Expr channel = broadcasts % request.channels == 0 ? Expr(a.c) : min(a.c, broadcasts - 1);
    a.sum = Halide::Func("sum");
    a.sum(at) = 0.0f;
    a.sum(at) += of_vectors(a.d, position, 0, image) * of_broadcasts(channel, position, 0, image);
}

} // namespace

Stages pointwise_kernel_gradient(const Problem& problem, const OperatorInputs& inputs) {
    Stages a;
    const Cut c = cut(as_pointwise(problem), inputs.request.window);
    const bool along_inputs = inputs.request.window.along_inputs;
    std::vector<Var> axes{a.d, a.c};
    if (kernel_operand(problem).rank == 4)
        axes.insert(axes.end(), {a.x, a.y});
    a.output = Halide::Func("result");
    if (c.strips * c.parts == 1 && problem.in.batch != open_batch && !along_inputs) {
        sum_strips(a, problem, inputs, axes);
        a.output(axes) = a.sum(axes);
        return a;
    }
    std::vector<Var> at = axes;
    at.insert(at.end(), {Var("strip"), Var("image")});
    sum_strips(a, problem, inputs, at);
    // Images of a known number are one row of positions.
    const Expr rows = problem.in.batch == open_batch ? inputs.batch : Expr(1);
    a.strips = RDom(0, c.strips, 0, rows, "strips");
    add_up_strips(a, axes, 0, c.parts, along_inputs);
    return a;
}

} // namespace lamina
