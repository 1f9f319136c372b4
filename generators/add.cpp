// add: maps without rows, see as_seen(), so that the layout does not matter.
#include "generators/problem_generator.hpp"

namespace lamina {

namespace {

Stages build_add(const Problem&, const OperatorInputs& inputs) {
    Stages a;
    const std::vector<Halide::Var> at{a.c, a.x, a.y, a.n};
    a.output = Halide::Func("result");
    a.output(at) = inputs["input"](at) + inputs["residual"](at);
    return a;
}

} // namespace

using AddGenerator = OperatorGenerator<Operator::add, build_add>;

} // namespace lamina

HALIDE_REGISTER_GENERATOR(lamina::AddGenerator, add)
