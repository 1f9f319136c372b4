// Small problems of every operator that reach every key and the odd sizes.
#pragma once

#include "lamina/problem_text.hpp"
#include "tests/support/random.hpp"

namespace lamina::testing {

// A problem that breaks no rule. The same from the same state of `random`.
Problem random_problem(Random& random);

// A problem of that operator.
Problem random_problem(Random& random, Operator op);

} // namespace lamina::testing
