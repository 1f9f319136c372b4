#include "report.hpp"

#include <array>
#include <cstdio>

namespace digits {
namespace {

template <class... Values>
std::string formatted(const char* format, Values... values) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), format, values...);
    return text.data();
}

// The two pixels there, one above the other, as a character as dark as they are.
char shade(Pixels image, int line, int column) {
    constexpr std::string_view shades = " .:-=+*#%@";
    const auto upper = pixel_place(2 * line, column);
    const std::size_t both = std::size_t{image[upper]} + image[upper + side];
    return shades[both * shades.size() / 511];
}

} // namespace

int count_right(const LabelledImages& images, std::span<const Answer> answers) {
    int right = 0;
    for (std::size_t i = 0; i < answers.size(); ++i)
        right += answers[i].digit == images.labels[i];
    return right;
}

std::string accuracy_text(int right, std::size_t count) {
    return formatted("%.2f %% (%d of %zu)", 100.0 * right / static_cast<double>(count), right, count);
}

std::string confusion_table(const LabelledImages& images, std::span<const Answer> answers) {
    std::array<std::array<int, class_count>, class_count> counts{};
    for (std::size_t i = 0; i < answers.size(); ++i)
        ++counts[images.labels[i]][static_cast<std::size_t>(answers[i].digit)];
    std::string table = "      taken for\n     ";
    for (int digit = 0; digit < class_count; ++digit)
        table += formatted("%5d", digit);
    table += "    right\n";
    for (std::size_t digit = 0; digit < class_count; ++digit) {
        table += formatted("  %zu  ", digit);
        int all = 0;
        for (const int count : counts[digit]) {
            table += count > 0 ? formatted("%5d", count) : "    .";
            all += count;
        }
        table += formatted("%7.1f %%\n", 100.0 * counts[digit][digit] / std::max(all, 1));
    }
    return table;
}

std::string drawn(const LabelledImages& images, std::span<const std::size_t> places,
                  std::span<const std::string> titles) {
    std::string text;
    for (const std::string& title : titles)
        text += formatted("  %-*s", side, title.c_str());
    text += '\n';
    for (int line = 0; line < side / 2; ++line) {
        for (const std::size_t place : places) {
            text += "  ";
            for (int column = 0; column < side; ++column)
                text += shade(images.image(place), line, column);
        }
        text += '\n';
    }
    return text;
}

} // namespace digits
