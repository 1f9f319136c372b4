// Steps of training: sgd by PyTorch's definition of momentum, without dampening and Nesterov's variant, and
// Adam (Kingma and Ba, 2015) with the weight decay added to the gradient. Everything that is written is
// computed in shared Funcs first: an output may be an input's memory, which must not be read again then.
#include "generators/problem_generator.hpp"

namespace lamina {

using Halide::Expr;
using Halide::Func;

namespace {

Expr decayed_gradient(const OperatorInputs& inputs, const Halide::Var& at, const Expr& weight_decay) {
    return inputs["gradient"](at) + weight_decay * inputs["weights"](at);
}

Stages build_sgd(const Problem&, const OperatorInputs& inputs) {
    Stages a;
    const Func& rates = inputs["rates"];
    const Expr learning_rate = rates(0), momentum = rates(1), weight_decay = rates(2);
    Func velocity("next_velocity"), weights("next_weights");
    velocity(a.c) = momentum * inputs["velocity"](a.c) + decayed_gradient(inputs, a.c, weight_decay);
    weights(a.c) = inputs["weights"](a.c) - learning_rate * velocity(a.c);
    a.shared = {velocity, weights};
    a.output = Func("result");
    a.output(a.c) = Halide::Tuple(weights(a.c), velocity(a.c));
    return a;
}

Stages build_adam(const Problem&, const OperatorInputs& inputs) {
    Stages a;
    const Func& rates = inputs["rates"];
    const Expr step_size = rates(0), beta1 = rates(1), beta2 = rates(2), correction = rates(3),
               epsilon = rates(4), weight_decay = rates(5);
    const Expr gradient = decayed_gradient(inputs, a.c, weight_decay);
    Func first("next_first"), second("next_second"), weights("next_weights");
    first(a.c) = beta1 * inputs["first_moment"](a.c) + (1.0f - beta1) * gradient;
    second(a.c) = beta2 * inputs["second_moment"](a.c) + (1.0f - beta2) * (gradient * gradient);
    const Expr scale = sqrt(second(a.c) * correction) + epsilon;
    weights(a.c) = inputs["weights"](a.c) - step_size * first(a.c) / scale;
    a.shared = {first, second, weights};
    a.output = Func("result");
    a.output(a.c) = Halide::Tuple(weights(a.c), first(a.c), second(a.c));
    return a;
}

} // namespace

using SgdGenerator = OperatorGenerator<Operator::sgd, build_sgd>;
using AdamGenerator = OperatorGenerator<Operator::adam, build_adam>;

} // namespace lamina

HALIDE_REGISTER_GENERATOR(lamina::SgdGenerator, sgd)
HALIDE_REGISTER_GENERATOR(lamina::AdamGenerator, adam)
