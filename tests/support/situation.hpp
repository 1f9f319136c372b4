// What a schedule is chosen for, from a problem's text and a target's name.
#pragma once

#include "schedules/family.hpp"

#include <catch2/catch.hpp>

#include <string_view>

namespace lamina::testing {

// Fails the test where the problem is refused.
inline Situation situation_of(std::string_view problem, std::string_view target) {
    const ParsedProblem parsed = parse_problem(problem);
    REQUIRE(parsed.error.view() == "");
    return {parsed.problem, find_target(target)};
}

} // namespace lamina::testing
