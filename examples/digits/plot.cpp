#include "plot.hpp"

#include "common/arrange.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace digits {
namespace {

using pictures::Image;

constexpr Colour black = {0, 0, 0}, grey = {0.85F, 0.85F, 0.85F};
constexpr int image_height = 300, image_width = 420;
constexpr int top = 34, bottom = 246, left = 72, right = 402; // of the axes
constexpr double most_ticks = 6;
constexpr double infinite = std::numeric_limits<double>::infinity();

// 1, 2 or 5 times a power of ten, so that there are at most `most_ticks` steps in the range.
double tick_step(double range) {
    const double power = std::pow(10.0, std::floor(std::log10(range / most_ticks)));
    for (const double factor : {1.0, 2.0, 5.0})
        if (range <= most_ticks * factor * power)
            return factor * power;
    return 10 * power;
}

// Values along an axis, which begins and ends at a tick.
struct Scale {
    double least, most, step;
    int from, to; // pixels

    double position(double value) const { return from + (value - least) / (most - least) * (to - from); }
    int tick_count() const { return static_cast<int>(std::lround((most - least) / step)) + 1; }
    std::string label(int tick) const {
        const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
        std::array<char, 32> text{};
        std::snprintf(text.data(), text.size(), "%.*f", decimals, least + tick * step);
        return text.data();
    }
};

Scale value_scale(std::span<const Curve> curves) {
    double least = infinite, most = -infinite;
    for (const Curve& curve : curves)
        for (const double value : curve.values)
            if (std::isfinite(value)) {
                least = std::min(least, value);
                most = std::max(most, value);
            }
    if (!(least < most)) // one value, or none
        least = (std::isfinite(most) ? most : 0) - 1, most = least + 2;
    const double step = tick_step(most - least);
    return {std::floor(least / step) * step, std::ceil(most / step) * step, step, bottom, top};
}

Scale epoch_scale(std::size_t epochs) {
    const double step = std::max(1.0, tick_step(static_cast<double>(epochs)));
    return {0, std::ceil(static_cast<double>(epochs) / step) * step, step, left, right};
}

struct Point {
    double y, x;
};

double distance(const Point& p, const Point& a, const Point& b) {
    const double dy = b.y - a.y, dx = b.x - a.x, length = dy * dy + dx * dx;
    const double along =
        length > 0 ? std::clamp(((p.y - a.y) * dy + (p.x - a.x) * dx) / length, 0.0, 1.0) : 0;
    return std::hypot(p.y - a.y - along * dy, p.x - a.x - along * dx);
}

// With round ends and soft edges. The line lies inside of the image.
void draw_line(Image& image, const Point& a, const Point& b, double width, const Colour& colour) {
    const double reach = width / 2 + 1;
    const auto first = [&](double p, double q) { return static_cast<int>(std::min(p, q) - reach); };
    const auto last = [&](double p, double q) { return static_cast<int>(std::max(p, q) + reach) + 1; };
    for (int y = first(a.y, b.y); y <= last(a.y, b.y); ++y)
        for (int x = first(a.x, b.x); x <= last(a.x, b.x); ++x) {
            const double away = distance({static_cast<double>(y), static_cast<double>(x)}, a, b);
            const auto part = static_cast<float>(std::clamp(width / 2 + 0.5 - away, 0.0, 1.0));
            float* pixel = pictures::pixel(image, y, x);
            for (std::size_t c = 0; c < 3; ++c)
                pixel[c] += part * (colour[c] - pixel[c]);
        }
}

void draw_axes(Image& image, const Scale& values, const Scale& epochs) {
    for (int tick = 0; tick < values.tick_count(); ++tick) {
        const double y = std::round(values.position(values.least + tick * values.step));
        draw_line(image, {y, left}, {y, right}, 1, grey);
        const std::string label = values.label(tick);
        draw_text(image, static_cast<int>(y) - text_height / 2, left - 8 - text_width(label), label, black);
    }
    for (int tick = 0; tick < epochs.tick_count(); ++tick) {
        const double x = std::round(epochs.position(tick * epochs.step));
        draw_line(image, {bottom, x}, {bottom + 4, x}, 1, black);
        const std::string label = epochs.label(tick);
        draw_text(image, bottom + 9, static_cast<int>(x) - text_width(label) / 2, label, black);
    }
    draw_line(image, {bottom, left}, {bottom, right}, 1, black);
    draw_line(image, {top, left}, {bottom, left}, 1, black);
    draw_text(image, bottom + 32, (left + right - text_width("epoch")) / 2, "epoch", black);
}

void draw_curve(Image& image, const Curve& curve, const Scale& values, const Scale& epochs) {
    Point before{infinite, infinite}; // none
    for (std::size_t i = 0; i < curve.values.size(); ++i) {
        const Point point{values.position(curve.values[i]), epochs.position(static_cast<double>(i + 1))};
        if (!std::isfinite(point.y))
            continue;
        draw_line(image, point, point, 6, curve.colour);
        draw_line(image, std::isfinite(before.y) ? before : point, point, 2, curve.colour);
        before = point;
    }
}

} // namespace

Image plotted(std::span<const Curve> curves) {
    Image image = pictures::blank(image_height, image_width, 3, 1);
    const Scale values = value_scale(curves), epochs = epoch_scale(curves[0].values.size());
    draw_axes(image, values, epochs);
    int name_left = left;
    for (const Curve& curve : curves) {
        draw_curve(image, curve, values, epochs);
        draw_text(image, 8, name_left, curve.name, curve.colour);
        name_left += text_width(curve.name) + text_width("  ");
    }
    return image;
}

} // namespace digits
