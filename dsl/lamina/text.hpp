// Text that exists at compile time and at run time alike: the problem's text form and every reason are built
// with it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lamina {

// A string of bounded length without heap, so that it can be a constexpr value. What does not fit is cut off.
class Text {
public:
    static constexpr std::size_t capacity = 640;

    constexpr Text() = default;
    constexpr Text(std::string_view text) { *this << text; }
    constexpr Text(const char* text) : Text(std::string_view(text)) {}

    constexpr Text& operator<<(std::string_view text) {
        for (char c : text)
            if (size_ < capacity)
                data_[size_++] = c;
        return *this;
    }
    constexpr Text& operator<<(const char* text) { return *this << std::string_view(text); }
    constexpr Text& operator<<(const Text& text) { return *this << text.view(); }
    constexpr Text& operator<<(std::int64_t number) {
        std::array<char, 20> digits{};
        std::size_t count = 0;
        auto magnitude =
            number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
        do {
            digits[count++] = static_cast<char>('0' + magnitude % 10);
            magnitude /= 10;
        } while (magnitude > 0);
        if (number < 0)
            digits[count++] = '-';
        while (count > 0)
            *this << std::string_view(&digits[--count], 1);
        return *this;
    }
    constexpr Text& operator<<(int number) { return *this << static_cast<std::int64_t>(number); }

    constexpr std::string_view view() const { return {data_.data(), size_}; }
    constexpr bool empty() const { return size_ == 0; }
    constexpr operator std::string_view() const { return view(); }
    friend constexpr bool operator==(const Text& a, const Text& b) { return a.view() == b.view(); }

private:
    std::array<char, capacity> data_{};
    std::size_t size_ = 0;
};

// A value from outside, quoted for a message; long ones are shortened so that the reason stays readable.
constexpr Text in_quotes(std::string_view value) {
    constexpr std::size_t shown = 48;
    Text text("'");
    for (char c : value.substr(0, shown))
        text << (c >= ' ' && c <= '~' ? std::string_view(&c, 1) : std::string_view("?"));
    return text << (value.size() > shown ? "...'" : "'");
}

// The value, or nothing: a number of at most nine digits and no sign, which therefore always fits an int.
struct ParsedInt {
    bool ok = false;
    int value = 0;
};

constexpr ParsedInt parse_int(std::string_view text) {
    if (text.empty() || text.size() > 9)
        return {};
    int value = 0;
    for (char c : text) {
        if (c < '0' || c > '9')
            return {};
        value = value * 10 + (c - '0');
    }
    return {true, value};
}

// A decimal number with up to six digits behind the point, kept exactly so that printing inverts parsing.
struct Decimal {
    std::int64_t millionths = 0;

    constexpr double value() const { return static_cast<double>(millionths) / 1e6; }
    friend constexpr bool operator==(Decimal, Decimal) = default;
};

struct ParsedDecimal {
    bool ok = false;
    Decimal value;
};

constexpr ParsedDecimal parse_decimal(std::string_view text) {
    const std::size_t point = text.find('.');
    const ParsedInt whole = parse_int(text.substr(0, point));
    if (!whole.ok)
        return {};
    std::int64_t millionths = std::int64_t{whole.value} * 1'000'000;
    if (point != std::string_view::npos) {
        const std::string_view fraction = text.substr(point + 1);
        const ParsedInt digits = parse_int(fraction);
        if (!digits.ok || fraction.size() > 6)
            return {};
        std::int64_t scaled = digits.value;
        for (std::size_t i = fraction.size(); i < 6; ++i)
            scaled *= 10;
        millionths += scaled;
    }
    return {true, {millionths}};
}

constexpr Text& operator<<(Text& text, Decimal number) {
    if (number.millionths < 0)
        return text << "-" << Decimal{-number.millionths};
    text << number.millionths / 1'000'000;
    std::int64_t fraction = number.millionths % 1'000'000;
    if (fraction == 0)
        return text;
    text << ".";
    for (std::int64_t unit = 100'000; fraction > 0; unit /= 10) {
        text << fraction / unit;
        fraction %= unit;
    }
    return text;
}

} // namespace lamina
