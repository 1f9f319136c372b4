// expect: kernel_is_larger_than_the_padded_input
#include "lamina/problem_text.hpp"

using namespace lamina;

constexpr Problem problem = existing([] {
    Problem p = default_problem(Operator::max_pool);
    p.kernel_size = 2;
    return p;
}());
