// Names of networks and layers. They become names in generated C, so they are held to its rules.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace lamina {

// A name as a value of its own, so that a network refers to nothing outside itself.
struct Name {
    static constexpr std::size_t capacity = 40;

    std::array<char, capacity + 1> characters{}; // ends in a zero
    std::size_t length = 0;

    constexpr std::string_view view() const { return {characters.data(), length}; }
    constexpr operator std::string_view() const { return view(); }
    // From the end, where a network's names differ: compilers limit the steps that they evaluate.
    friend constexpr bool operator==(const Name& a, std::string_view b) {
        if (a.length != b.size())
            return false;
        for (std::size_t i = a.length; i > 0; --i)
            if (a.characters[i - 1] != b[i - 1])
                return false;
        return true;
    }
    friend constexpr bool operator==(const Name& a, const Name& b) { return a == b.view(); }
    friend constexpr bool operator==(const Name& a, const char* b) { return a == std::string_view(b); }
};

namespace layer_error {
void name_is_not_a_c_identifier();
void name_is_longer_than_40_characters();
} // namespace layer_error

namespace detail {

// Of C and C++, since the generated header is read as both.
inline constexpr std::string_view keywords[] = {
    "alignas",  "alignof",   "and",       "and_eq",       "asm",          "auto",
    "bitand",   "bitor",     "bool",      "break",        "case",         "catch",
    "char",     "char8_t",   "char16_t",  "char32_t",     "class",        "compl",
    "concept",  "const",     "consteval", "constexpr",    "constinit",    "const_cast",
    "continue", "co_await",  "co_return", "co_yield",     "decltype",     "default",
    "delete",   "do",        "double",    "dynamic_cast", "else",         "enum",
    "explicit", "export",    "extern",    "false",        "float",        "for",
    "friend",   "goto",      "if",        "inline",       "int",          "long",
    "mutable",  "namespace", "new",       "noexcept",     "not",          "not_eq",
    "nullptr",  "operator",  "or",        "or_eq",        "private",      "protected",
    "public",   "register",  "requires",  "restrict",     "return",       "reinterpret_cast",
    "short",    "signed",    "sizeof",    "static",       "static_cast",  "static_assert",
    "struct",   "switch",    "template",  "this",         "thread_local", "throw",
    "true",     "try",       "typedef",   "typeid",       "typename",     "typeof",
    "union",    "unsigned",  "using",     "virtual",      "void",         "volatile",
    "wchar_t",  "while",     "xor",       "xor_eq",
};

constexpr bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

constexpr bool is_c_identifier(std::string_view name) {
    if (name.empty() || !is_letter(name.front()))
        return false;
    for (char c : name)
        if (!is_letter(c) && !(c >= '0' && c <= '9'))
            return false;
    return std::find(std::begin(keywords), std::end(keywords), name) == std::end(keywords);
}

consteval Name checked_name(std::string_view text) {
    if (text.size() > Name::capacity)
        layer_error::name_is_longer_than_40_characters();
    if (!is_c_identifier(text))
        layer_error::name_is_not_a_c_identifier();
    Name name;
    std::copy(text.begin(), text.end(), name.characters.begin());
    name.length = text.size();
    return name;
}

} // namespace detail

} // namespace lamina
