// The picture of report.hpp: an SVG with a pair of bars for each problem.
#include "benchmarks/versus_onednn/report.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lamina::versus {

namespace {

// In pixels.
constexpr int margin = 16, row_height = 34, bar_height = 11, text_width = 820, bars_width = 420;
constexpr int head_height = 48, numbers_width = 60;
constexpr const char* colours[] = {"#1b6ca8", "#e08a1e"}; // Lamina, oneDNN

std::string escaped(const std::string& text) {
    std::string safe;
    for (const char letter : text)
        safe += letter == '<' ? "&lt;" : letter == '&' ? "&amp;" : std::string(1, letter);
    return safe;
}

std::string bar(int y, double length, double number, const char* colour) {
    const int x = margin + text_width, width = std::max(1, static_cast<int>(length * bars_width));
    return fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>"
                       "<text x=\"{}\" y=\"{}\" font-size=\"10\">{:.2f}</text>\n",
                       x, y, width, bar_height, colour, x + width + 4, y + bar_height - 2, number);
}

} // namespace

// Bars are fractions of the measured peak, scaled by the longest: poolings have no multiply-adds, and theirs
// would be invisible beside 1.
std::string picture(const Report& report) {
    std::vector<const Comparison*> shown;
    double longest = 0;
    for (const Comparison& c : report.comparisons)
        if (c.preferred) {
            shown.push_back(&c);
            longest = std::max({longest, c.fraction(c.lamina), c.fraction(c.preferred->time)});
        }
    const int width = 2 * margin + text_width + bars_width + numbers_width;
    const int height = head_height + margin + row_height * static_cast<int>(shown.size());
    std::string text = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" "
        "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" "
        "fill=\"white\"/>\n<text x=\"{}\" y=\"28\" font-size=\"15\">Fraction of the measured peak, "
        "{}: <tspan fill=\"{}\">Lamina</tspan>, <tspan fill=\"{}\">oneDNN {}</tspan></text>\n",
        width, height, margin, report.target, colours[0], colours[1], report.peer);
    for (std::size_t i = 0; i < shown.size(); ++i) {
        const Comparison& c = *shown[i];
        const int y = head_height + static_cast<int>(i) * row_height;
        const double own = c.fraction(c.lamina), others = c.fraction(c.preferred->time);
        text += fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"11\">{} ({})</text>\n", margin,
                            y + bar_height + 3, escaped(c.problem), c.threads);
        if (longest > 0)
            text += bar(y, own / longest, own, colours[0]) +
                    bar(y + bar_height + 1, others / longest, others, colours[1]);
    }
    return text + "</svg>\n";
}

} // namespace lamina::versus
