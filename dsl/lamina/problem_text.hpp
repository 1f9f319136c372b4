// A problem's text form: the operator, then key=value in any order. Printing and parsing are inverse.
#pragma once

#include "lamina/rules.hpp"

namespace lamina {

// Canonical: keys in the table's order, defaults left out.
constexpr Text to_text(const Problem& problem) {
    Text text(facts(problem.op).name);
    const Problem defaults = default_problem(problem.op);
    for (const Key& key : key_table) {
        if (!key.applies_to(problem.op))
            continue;
        Text value, usual;
        key.print(problem, value);
        key.print(defaults, usual);
        if (key.is_required || value != usual)
            text << " " << key.name << "=" << value;
    }
    return text;
}

struct ParsedProblem {
    Problem problem;
    Text error; // empty when the problem is well formed and can exist

    constexpr bool ok() const { return error.empty(); }
};

namespace detail {

constexpr Text operator_names() {
    Text names;
    for (const OperatorFacts& row : operator_table)
        if (row.gradient == Gradient::none)
            names << (names.empty() ? "" : ", ") << row.name;
    return names << ", and their gradients: NAME_input_gradient and so on";
}

constexpr Text key_names(Operator op) {
    Text names;
    for (const Key& key : key_table)
        if (key.applies_to(op))
            names << (names.empty() ? "" : ", ") << key.name;
    return names;
}

// Sets one key; returns what is wrong with `word`, or nothing.
constexpr Text set_key(Problem& problem, std::uint64_t& given, std::string_view word) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos)
        return Text() << in_quotes(word) << " is not of the form key=value";
    const std::string_view name = word.substr(0, equals), value = word.substr(equals + 1);
    for (std::size_t i = 0; i < key_count; ++i) {
        const Key& key = key_table[i];
        if (key.name != name || !key.applies_to(problem.op))
            continue;
        if (given & (std::uint64_t{1} << i))
            return Text() << key.name << ": given twice";
        given |= std::uint64_t{1} << i;
        if (!key.parse(problem, value))
            return Text() << key.name << "=" << in_quotes(value) << ": expected " << key.form << " ("
                          << key.meaning << ")";
        return {};
    }
    return Text() << "unknown key " << in_quotes(name) << "; " << facts(problem.op).name << " has "
                  << key_names(problem.op);
}

constexpr Text missing_key(Operator op, std::uint64_t given) {
    for (std::size_t i = 0; i < key_count; ++i)
        if (key_table[i].is_required && key_table[i].applies_to(op) && !(given & (std::uint64_t{1} << i)))
            return Text() << key_table[i].name << ": missing; " << facts(op).name << " needs "
                          << key_table[i].name << "=" << key_table[i].form;
    return {};
}

constexpr std::string_view take_word(std::string_view& rest) {
    constexpr std::string_view blanks = " \t\r\n";
    const std::size_t begin = rest.find_first_not_of(blanks);
    rest = begin == std::string_view::npos ? std::string_view{} : rest.substr(begin);
    const std::size_t end = rest.find_first_of(blanks);
    const std::string_view word = rest.substr(0, end);
    rest = rest.substr(word.size());
    return word;
}

} // namespace detail

// The problem that `text` describes, or the reason why there is none, naming the key, the value and what
// would be right.
constexpr ParsedProblem parse_problem(std::string_view text) {
    const std::string_view name = detail::take_word(text);
    const std::optional<Operator> op = operator_named(name);
    if (!op)
        return {{},
                Text() << "unknown operator " << in_quotes(name) << "; known are "
                       << detail::operator_names()};
    ParsedProblem parsed{default_problem(*op), {}};
    std::uint64_t given = 0;
    for (std::string_view word = detail::take_word(text); !word.empty() && parsed.ok();
         word = detail::take_word(text))
        parsed.error = detail::set_key(parsed.problem, given, word);
    if (parsed.ok())
        parsed.error = detail::missing_key(*op, given);
    if (parsed.ok())
        parsed.error = explain(broken_rule(parsed.problem), parsed.problem);
    return parsed;
}

} // namespace lamina
