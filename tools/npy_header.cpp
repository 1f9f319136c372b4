#include "npy_header.hpp"

#include <charconv>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace lamina::tools {
namespace {

// NumPy 2 allows 64 dimensions; no operator here has more than 4.
constexpr std::size_t max_dimensions = 32;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Reads one piece at a time. The first error stays; every piece after it is refused.
class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    const std::string& error() const { return error_; }

    bool fail(std::string reason) {
        if (error_.empty())
            error_ = std::move(reason);
        return false;
    }

    bool fail_here(std::string_view wanted) {
        const std::string found =
            at_ < text_.size() ? in_quotes(text_.substr(at_, 16)) : "the end of the header";
        return fail(
            fmt::format("header, character {}: found {} where {} would be right", at_, found, wanted));
    }

    bool take(char wanted) {
        skip_spaces();
        if (!error_.empty() || at_ >= text_.size() || text_[at_] != wanted)
            return false;
        ++at_;
        return true;
    }

    bool take(std::string_view word) {
        skip_spaces();
        if (!error_.empty() || !text_.substr(at_).starts_with(word))
            return false;
        at_ += word.size();
        return true;
    }

    bool expect(char wanted) { return take(wanted) || fail_here(fmt::format("'{}'", wanted)); }

    bool string(std::string& value, std::string_view wanted) {
        skip_spaces();
        const char quote = at_ < text_.size() ? text_[at_] : '\0';
        if (quote != '\'' && quote != '"')
            return fail_here(wanted);
        const std::size_t end = text_.find(quote, at_ + 1);
        if (end == std::string_view::npos)
            return fail(fmt::format("header, character {}: a string that does not end", at_));
        value = text_.substr(at_ + 1, end - at_ - 1);
        at_ = end + 1;
        return true;
    }

    bool dimension(std::int64_t& value) {
        skip_spaces();
        const char* const begin = text_.data() + at_;
        const char* const end = text_.data() + text_.size();
        if (begin == end || !is_digit(*begin))
            return fail_here("a size, an integer of 0 or more,");
        const auto [stop, problem] = std::from_chars(begin, end, value);
        if (problem != std::errc())
            return fail_here("a size below 2^63");
        at_ += static_cast<std::size_t>(stop - begin);
        return true;
    }

    bool expect_end() {
        skip_spaces();
        return at_ == text_.size() || fail_here("the end of the header");
    }

private:
    void skip_spaces() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n'))
            ++at_;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::string error_;
};

bool read_truth(Reader& reader, bool& value) {
    value = reader.take("True");
    return value || reader.take("False") || reader.fail_here("True or False");
}

// A Python tuple: (), (3,), (3, 4) or (3, 4,), but not (3), which is a number.
bool read_shape(Reader& reader, std::vector<std::int64_t>& shape) {
    if (!reader.take('('))
        return reader.fail_here("a shape like (1, 56, 56, 64)");
    bool comma = true;
    while (!reader.take(')')) {
        if (!comma)
            return reader.fail_here("',' or ')'");
        if (shape.size() == max_dimensions)
            return reader.fail(fmt::format("the shape has more than {} dimensions", max_dimensions));
        if (!reader.dimension(shape.emplace_back()))
            return false;
        comma = reader.take(',');
    }
    if (shape.size() == 1 && !comma)
        return reader.fail(fmt::format("shape ({0}) is not a tuple: ({0},) would be right", shape[0]));
    return true;
}

struct Seen {
    bool descr = false, fortran_order = false, shape = false;
};

bool read_entry(Reader& reader, NpyHeader& header, Seen& seen) {
    std::string key;
    if (!reader.string(key, "a key in quotes") || !reader.expect(':'))
        return false;
    const auto first = [&](bool& seen_already) {
        return !std::exchange(seen_already, true) ||
               reader.fail(fmt::format("the key '{}' stands twice", key));
    };
    if (key == "descr")
        return first(seen.descr) &&
               reader.string(header.descr, "a type in quotes like '<f4' (records of fields are not read)");
    if (key == "fortran_order")
        return first(seen.fortran_order) && read_truth(reader, header.fortran_order);
    if (key == "shape")
        return first(seen.shape) && read_shape(reader, header.shape);
    return reader.fail(
        fmt::format("unknown key {}: the keys are 'descr', 'fortran_order' and 'shape'", in_quotes(key)));
}

bool read_dictionary(Reader& reader, NpyHeader& header) {
    Seen seen;
    if (!reader.expect('{'))
        return false;
    bool comma = true;
    while (!reader.take('}')) {
        if (!comma)
            return reader.fail_here("',' or '}'");
        if (!read_entry(reader, header, seen))
            return false;
        comma = reader.take(',');
    }
    for (const auto& [present, key] : {std::pair(seen.descr, "descr"), std::pair(seen.shape, "shape"),
                                       std::pair(seen.fortran_order, "fortran_order")})
        if (!present)
            return reader.fail(fmt::format("the header has no key '{}'", key));
    return reader.expect_end();
}

} // namespace

ParsedNpyHeader parse_npy_header(std::string_view text) {
    Reader reader(text);
    NpyHeader header;
    if (!read_dictionary(reader, header))
        return {std::nullopt, reader.error()};
    return {std::move(header), ""};
}

std::string npy_header_text(const NpyHeader& header) {
    std::string shape;
    for (const std::int64_t size : header.shape)
        shape += fmt::format("{}{}", shape.empty() ? "" : ", ", size);
    return fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': ({}{}), }}", header.descr,
                       header.fortran_order ? "True" : "False", shape, header.shape.size() == 1 ? "," : "");
}

std::string in_quotes(std::string_view text) {
    constexpr std::size_t longest = 40;
    std::string result = "'";
    for (const char c : text.substr(0, longest))
        result += c >= ' ' && c <= '~' ? std::string(1, c)
                                       : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    return result + (text.size() > longest ? "...'" : "'");
}

} // namespace lamina::tools
