#include "arguments.hpp"

#include <algorithm>
#include <charconv>

namespace digits {
namespace {

// Whether the text is what the option takes.
bool take_value(const Option& option, std::string_view text) {
    if (option.path) {
        *option.path = text;
        return !text.empty();
    }
    std::int64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || stop != end || number < option.least || number > option.most)
        return false;
    *option.number = number;
    return true;
}

std::string expected(const Option& option) {
    const std::string name(option.name);
    return option.path ? name + ": expected a path"
                       : name + ": expected a number from " + std::to_string(option.least) + " to " +
                             std::to_string(option.most);
}

} // namespace

Parsed parse_arguments(std::span<char*> arguments, std::span<const Option> options) {
    Parsed parsed;
    for (std::size_t i = 1; i < arguments.size() && parsed.error.empty(); ++i) {
        const std::string_view argument = arguments[i];
        const auto option = std::ranges::find(options, argument, &Option::name);
        if (argument == "-h" || argument == "--help") {
            parsed.wants_help = true;
        } else if (option != options.end()) {
            if (++i == arguments.size() || !take_value(*option, arguments[i]))
                parsed.error = expected(*option);
        } else if (argument.starts_with('-')) {
            parsed.error = "unknown option '" + std::string(argument) + "'";
        } else {
            parsed.files.emplace_back(argument);
        }
    }
    return parsed;
}

} // namespace digits
