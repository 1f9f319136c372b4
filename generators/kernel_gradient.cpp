// The gradients of kernels: one sum over all windows for each of the kernel's elements.
#include "generators/depthwise_kernel_gradient.hpp"
#include "generators/gradient_parts.hpp"
#include "generators/input_map.hpp"
#include "generators/pointwise_kernel_gradient.hpp"
#include "generators/sum_gradient.hpp"
#include "schedules/window_sweep.hpp"

#include <functional>
#include <utility>

namespace lamina {

using Halide::Expr;
using Halide::Func;
using Halide::RDom;
using Halide::Var;

namespace {

// A map's value at (channel, x, y, image).
using Map = std::function<Expr(const Expr&, const Expr&, const Expr&, const Expr&)>;

// In every window, an element of the kernel meets one element of the map that the windows run over, and the
// value that belongs to the window. These are the input and the sums' gradient; for a transposed convolution
// the other way round.
struct Maps {
    Problem problem; // as the maps are looked at
    bool is_transposed, is_skipping;
    Shape windows; // of the map with a value for each
    Size slid;     // of the other one, with its padding where that is not skipped
    Size stride;
    bool has_padding;
    Padding padding;  // that is skipped
    Map value, under; // of the window; where its element lies, in padded coordinates or, skipping, without
};

Maps maps_of(Stages& a, const Problem& original, const OperatorInputs& inputs, bool skips) {
    Maps m;
    const Problem p = m.problem = as_pointwise(original);
    m.is_transposed = detail::is_transposed(p.op);
    m.windows = m.is_transposed ? p.in : output_shape(p);
    const Problem layer = window_layer(p);
    m.stride = layer.stride;
    m.is_skipping = skips && layer.padding_mode == PaddingMode::zeros;
    const Padding padding = resolved_padding(layer);
    m.has_padding = padding.top != 0 || padding.bottom != 0 || padding.left != 0 || padding.right != 0;
    const Func gradient = sum_gradient(original, inputs);
    const Func& input = inputs["input"];
    const Func &fixed = m.is_transposed ? input : gradient, &slid = m.is_transposed ? gradient : input;
    const auto map = [p](const Func& func) {
        return [=](const Expr& c, const Expr& x, const Expr& y, const Expr& n) {
            return read(func, p, {c, x, y, n});
        };
    };
    m.value = map(fixed);
    m.slid = {layer.in.height, layer.in.width};
    if (m.is_skipping) {
        m.padding = padding;
        m.under = map(slid);
    } else {
        const Func padded = padded_input(a, layer, slid, 0.0f, m.is_transposed && takes_slope(p));
        m.slid = padded_reach(layer, {m.windows.height, m.windows.width});
        m.under = [padded](const Expr& c, const Expr& x, const Expr& y, const Expr& n) {
            return padded(c, x, y, n);
        };
    }
    return m;
}

// Where the element (a.x, a.y) of the kernel lies under the window (x, y). Windows in which it lies outside
// are left out of the sum where padding is skipped.
std::array<Expr, 2> position_under(Stages& a, const Maps& m, const Expr& x, const Expr& y) {
    const Problem& p = m.problem;
    const bool is_flipped = forward_of(p.op) == Operator::convolution;
    const Size kernel = p.kernel_size;
    // A dense layer's kernel has no axes of a window.
    const Expr column = kernel.width == 1 ? Expr(0) : is_flipped ? kernel.width - 1 - a.x : Expr(a.x);
    const Expr row = kernel.height == 1 ? Expr(0) : is_flipped ? kernel.height - 1 - a.y : Expr(a.y);
    const Expr at_x = x * m.stride.width + column * p.dilation.width,
               at_y = y * m.stride.height + row * p.dilation.height;
    if (!m.is_skipping)
        return {at_x, at_y};
    keep_within(a.window, 0, at_x, m.padding.left, m.padding.left + m.slid.width);
    keep_within(a.window, 1, at_y, m.padding.top, m.padding.top + m.slid.height);
    // What Halide's bounds do not conclude from that.
    return {unsafe_promise_clamped(at_x - m.padding.left, 0, m.slid.width - 1),
            unsafe_promise_clamped(at_y - m.padding.top, 0, m.slid.height - 1)};
}

std::vector<Var> kernel_axes(const Stages& a, const Problem& p) {
    return kernel_operand(p).rank == 2 ? std::vector{a.d, a.c} : std::vector{a.d, a.c, a.x, a.y};
}

Stages build_plainly(const Problem& problem, const OperatorInputs& inputs) {
    Stages a;
    const Maps m = maps_of(a, problem, inputs, false);
    const Problem& p = m.problem;
    const int group_in = p.in.channels / p.groups, group_out = p.out_channels / p.groups;
    a.window = RDom(0, m.windows.width, 0, m.windows.height, 0, inputs.batch, "window");
    const Halide::RVar rx = a.window[0], ry = a.window[1], rn = a.window[2];
    const auto [x, y] = position_under(a, m, rx, ry);
    const Expr in_channel = p.groups == 1 ? Expr(a.c) : a.c + a.d / group_out * group_in;
    const std::vector<Var> at = kernel_axes(a, problem);
    a.sum = Func("sum");
    a.sum(at) = 0.0f;
    a.sum(at) += m.value(m.is_transposed ? in_channel : Expr(a.d), rx, ry, rn) *
                 m.under(m.is_transposed ? Expr(a.d) : in_channel, x, y, rn);
    a.output = Func("result");
    a.output(at) = a.sum(at);
    return a;
}

// The map by blocks of channels, (channel within its block, x, y, n, block); zeros for channels that are
// none.
Func blocked(const char* name, const Map& map, int channels, int block) {
    const Var i("i"), x("x"), y("y"), n("n"), o("o");
    const Expr channel = i + o * block;
    Func stage(name);
    if (channels < block) {
        const RDom some(0, channels, "some");
        stage(i, x, y, n, o) = 0.0f;
        stage(some, x, y, n, o) = map(some, x, y, n);
        return stage;
    }
    stage(i, x, y, n, o) = channels % block == 0
                               ? map(channel, x, y, n)
                               : select(channel < channels, map(min(channel, channels - 1), x, y, n), 0.0f);
    return stage;
}

// The maps of strips of `rows` rows of windows, each strip a single row, where a window is one position: what
// lies under it is stored for it alone, and the sum is one loop.
void make_strips_rows(Maps& m, int rows) {
    const auto at = [width = m.windows.width, rows](const Map& map, Size stride) {
        return [=](const Expr& c, const Expr& x, const Expr& y, const Expr& n) {
            return map(c, x % width * stride.width, (y * rows + x / width) * stride.height, n);
        };
    };
    m.value = at(m.value, {1, 1});
    m.under = at(m.under, m.stride);
    m.slid = {m.windows.height / rows, m.windows.width * rows};
    m.windows.width = m.slid.width;
    m.windows.height = m.slid.height;
    m.stride = {1, 1};
}

// A channel's place in such a map.
struct Place {
    Expr within, block;
};

Stages build_blocked(const Problem& problem, const OperatorInputs& inputs) {
    Stages a;
    const AlgorithmRequest& request = inputs.request;
    Maps m = maps_of(a, problem, inputs, request.window.skips_padding);
    const Problem& p = m.problem;
    int rows = std::min(request.window.rows, m.windows.height);
    a.is_linear =
        p.kernel_size.height * p.kernel_size.width == 1 && !m.has_padding && m.windows.height % rows == 0;
    if (a.is_linear)
        make_strips_rows(m, std::exchange(rows, 1));
    const int group_in = p.in.channels / p.groups, group_out = p.out_channels / p.groups;
    const bool is_depthwise = group_in == 1 && group_out == 1;
    const int block = request.kernel_block, tile = is_depthwise ? block : request.window.channels;
    const Place out{a.d % block, a.d / block};
    const bool is_in_place = request.window.channels == 0; // the input; the values where one block has all
    const Place in = is_in_place     ? Place{min(a.c, group_in - 1), 0}
                     : is_depthwise  ? out
                     : p.groups == 1 ? Place{a.c % tile, a.c / tile}
                                     : Place{a.c % tile, a.c / tile + a.d / group_out * (group_in / tile)};
    Func values, unders; // undefined where they are read in place
    if (!is_in_place || p.out_channels != block)
        values = m.is_transposed ? blocked("values", m.value, p.in.channels, tile)
                                 : blocked("values", m.value, p.out_channels, block);
    if (!is_in_place)
        unders = m.is_transposed ? blocked("unders", m.under, p.out_channels, block)
                                 : blocked("unders", m.under, p.in.channels, tile);
    a.blocked_in = m.is_transposed ? values : unders;
    a.blocked_out = m.is_transposed ? unders : values;
    const Place& value_place = m.is_transposed ? in : out;
    const Place& under_place = m.is_transposed ? out : in;

    // A strip is some rows of one image, or of all.
    const int parts = request.window.parts, run = rows * parts,
              strips = (m.windows.height + run - 1) / run; // of a part
    const bool has_all_images = request.window.has_all_images;
    a.window = RDom(0, m.windows.width, 0, rows, 0, has_all_images ? inputs.batch : Expr(1), "window");
    const bool is_one_strip = strips * parts == 1 && (has_all_images || p.in.batch == 1);
    const Var strip("strip"), strip_image("strip_image");
    const Expr first = is_one_strip ? Expr(0) : strip * rows,
               image = is_one_strip ? Expr(a.window[2]) : strip_image + a.window[2];
    Expr window_y = first + a.window[1];
    if (m.windows.height != strips * run) {
        keep_within(a.window, 1, window_y, 0, m.windows.height);
        window_y = unsafe_promise_clamped(window_y, 0, m.windows.height - 1);
    }
    const auto [x, y] = position_under(a, m, a.window[0], window_y);
    const std::vector<Var> axes = kernel_axes(a, problem);
    std::vector<Var> at = axes;
    if (!is_one_strip)
        at.insert(at.end(), {strip, strip_image});
    a.sum = Func("sum");
    a.sum(at) = 0.0f;
    const Expr value = values.defined()
                           ? values(value_place.within, a.window[0], window_y, image, value_place.block)
                           : m.value(a.d, a.window[0], window_y, image);
    const Expr under = unders.defined() ? unders(under_place.within, x, y, image, under_place.block)
                                        : m.under(under_place.within, x, y, image);
    a.sum(at) += value * under;
    a.output = Func("result");
    if (is_one_strip) {
        a.output(axes) = a.sum(at);
        return a;
    }
    a.strips = RDom(0, strips, 0, has_all_images ? Expr(1) : inputs.batch, "strips");
    add_up_strips(a, axes, 0, parts);
    return a;
}

Stages build_kernel_gradient(const Problem& problem, const OperatorInputs& inputs) {
    if (inputs.request.window.columns > 0)
        return depthwise_kernel_gradient(problem, inputs);
    if (inputs.request.window.positions > 0)
        return pointwise_kernel_gradient(problem, inputs);
    return inputs.request.window.rows > 0 ? build_blocked(problem, inputs) : build_plainly(problem, inputs);
}

} // namespace

using CrossCorrelationKernelGradientGenerator =
    OperatorGenerator<Operator::cross_correlation_kernel_gradient, build_kernel_gradient>;
using ConvolutionKernelGradientGenerator =
    OperatorGenerator<Operator::convolution_kernel_gradient, build_kernel_gradient>;
using TransposedConvolutionKernelGradientGenerator =
    OperatorGenerator<Operator::transposed_convolution_kernel_gradient, build_kernel_gradient>;
using DenseKernelGradientGenerator =
    OperatorGenerator<Operator::dense_kernel_gradient, build_kernel_gradient>;

} // namespace lamina

HALIDE_REGISTER_GENERATOR(lamina::CrossCorrelationKernelGradientGenerator, cross_correlation_kernel_gradient)
HALIDE_REGISTER_GENERATOR(lamina::ConvolutionKernelGradientGenerator, convolution_kernel_gradient)
HALIDE_REGISTER_GENERATOR(lamina::TransposedConvolutionKernelGradientGenerator,
                          transposed_convolution_kernel_gradient)
HALIDE_REGISTER_GENERATOR(lamina::DenseKernelGradientGenerator, dense_kernel_gradient)
