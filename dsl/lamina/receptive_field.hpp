// The part of a network's input that one output position sees.
#pragma once

#include "lamina/shapes.hpp"

#include <compare>
#include <numeric>

namespace lamina {

namespace layer_error {
void receptive_field_is_beyond_the_index_range();
}

// Exact, because the positions of a map behind a transposed convolution lie between those of the input.
struct Fraction {
    std::int64_t numerator = 0;
    std::int64_t denominator = 1; // positive; the two have no common factor

    constexpr Fraction() = default;
    constexpr Fraction(std::int64_t whole) : numerator(whole) {}

    constexpr double value() const {
        return static_cast<double>(numerator) / static_cast<double>(denominator);
    }
    friend constexpr bool operator==(Fraction, Fraction) = default;
    friend constexpr std::strong_ordering operator<=>(Fraction a, Fraction b) {
        return a.numerator * b.denominator <=> b.numerator * a.denominator;
    }
};

constexpr Text& operator<<(Text& text, Fraction number) {
    text << number.numerator;
    return number.denominator == 1 ? text : text << "/" << number.denominator;
}

// One axis. Output position i sees the input positions from offset + i * jump on, `size` of them. Padding
// counts: the field of an output at the border reaches beyond the input, and `offset` is then negative.
struct FieldAxis {
    Fraction size{1};
    Fraction jump{1};
    Fraction offset{0};

    friend constexpr bool operator==(const FieldAxis&, const FieldAxis&) = default;
};

struct ReceptiveField {
    FieldAxis height, width;

    friend constexpr bool operator==(const ReceptiveField&, const ReceptiveField&) = default;
    // Whether the field has that size on both axes.
    friend constexpr bool operator==(const ReceptiveField& field, int size) {
        return field.height.size == size && field.width.size == size;
    }
};

namespace detail {

// numerator / denominator, reduced. Within the limit, no product or sum of two leaves 64 bits.
consteval Fraction fraction(std::int64_t numerator, std::int64_t denominator) {
    constexpr std::int64_t limit = std::int64_t{1} << 30;
    const std::int64_t factor = std::gcd(numerator, denominator);
    Fraction result(numerator / factor);
    result.denominator = denominator / factor;
    if (result.numerator > limit || result.numerator < -limit || result.denominator > limit)
        layer_error::receptive_field_is_beyond_the_index_range();
    return result;
}
consteval Fraction sum(Fraction a, Fraction b) {
    return fraction(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator);
}
consteval Fraction product(Fraction a, std::int64_t b) {
    return fraction(a.numerator * b, a.denominator);
}

// A window of `extent` positions, `stride` positions between neighbours, the first one `begin` outside the
// map: size = 1 + the sum over the layers of (extent - 1) * the product of the earlier strides.
consteval FieldAxis window_field(const FieldAxis& in, const Axis& axis) {
    return {sum(in.size, product(in.jump, axis.extent() - 1)), product(in.jump, axis.stride),
            sum(in.offset, product(in.jump, -axis.begin))};
}

// A transposed operator is a window of stride 1 on the map with stride - 1 zeros put between its positions,
// which thereby lie stride times closer. Those zeros count, as the padding does, so that each end of the
// field lies up to (stride - 1) * jump beyond what one output reads.
consteval FieldAxis transposed_field(const FieldAxis& in, const Axis& axis) {
    const std::int64_t reach = axis.extent() - 1;
    const Fraction jump = fraction(in.jump.numerator, in.jump.denominator * axis.stride);
    return {sum(in.size, product(jump, reach)), jump, sum(in.offset, product(jump, axis.begin - reach))};
}

// The hull of two fields of maps of `positions` positions. Where their jumps differ, the narrower one drifts
// against the common, larger jump; the hull covers it at the first and at the last position, and so
// everywhere.
consteval FieldAxis joined_field(const FieldAxis& a, const FieldAxis& b, int positions) {
    const Fraction jump = std::max(a.jump, b.jump);
    Fraction begin = std::min(a.offset, b.offset);
    Fraction end = std::max(sum(a.offset, a.size), sum(b.offset, b.size));
    for (const FieldAxis& field : {a, b}) {
        const Fraction drift = product(sum(field.jump, product(jump, -1)), positions - 1);
        begin = std::min(begin, sum(field.offset, drift));
    }
    return {sum(end, product(begin, -1)), jump, begin};
}

// One axis of a layer's field: `in` is the field of the map that it reads, `whole` the network's input size.
consteval FieldAxis layer_field(const FieldAxis& in, const Problem& p, const Axis& axis, int whole) {
    if (p.op == Operator::softmax)
        return in;
    if (!facts(p.op).has_window)
        return {whole, whole, 0};
    return is_transposed(p.op) ? transposed_field(in, axis) : window_field(in, axis);
}

consteval ReceptiveField layer_field(const ReceptiveField& in, const Problem& p, Shape whole) {
    if (p.op == Operator::pooled_cross_correlation)
        return {window_field(window_field(in.height, rows(p)), pool_rows(p)),
                window_field(window_field(in.width, columns(p)), pool_columns(p))};
    return {layer_field(in.height, p, rows(p), whole.height),
            layer_field(in.width, p, columns(p), whole.width)};
}

consteval ReceptiveField joined_field(const ReceptiveField& a, const ReceptiveField& b, Shape map) {
    return {joined_field(a.height, b.height, map.height), joined_field(a.width, b.width, map.width)};
}

} // namespace detail

} // namespace lamina
