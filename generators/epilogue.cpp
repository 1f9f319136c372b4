#include "generators/epilogue.hpp"

namespace lamina {

using Halide::Expr;

namespace {

Expr sigmoid(const Expr& x) {
    return 1.0f / (1.0f + exp(-x));
}

} // namespace

Expr activation(Step step, const Epilogue& epilogue, const Expr& x) {
    switch (step) {
    case Step::relu:
        return max(x, 0.0f);
    case Step::relu6:
        return clamp(x, 0.0f, 6.0f);
    case Step::leaky_relu:
        return select(x >= 0.0f, x, x * static_cast<float>(epilogue.leaky_slope.value()));
    case Step::silu:
        return x * sigmoid(x);
    case Step::gelu: // x * Phi(x), Phi the normal distribution function
        return 0.5f * x * (1.0f + erf(x * 0.70710678f));
    case Step::sigmoid:
        return sigmoid(x);
    case Step::tanh: // by an exponential, which vectorises
        return 1.0f - 2.0f / (exp(2.0f * x) + 1.0f);
    case Step::hard_swish:
        return x * clamp(x + 3.0f, 0.0f, 6.0f) * (1.0f / 6.0f);
    case Step::bias:
    case Step::residual:
        break;
    }
    return x;
}

Expr activation_slope(Step step, const Epilogue& epilogue, const Expr& z, const Expr& x) {
    const auto leak = static_cast<float>(epilogue.leaky_slope.value());
    switch (step) {
    case Step::relu:
        return select(z > 0.0f, 1.0f, 0.0f);
    case Step::relu6:
        return select(z > 0.0f && z < 6.0f, 1.0f, 0.0f);
    case Step::leaky_relu:
        return select(z > 0.0f, 1.0f, leak);
    case Step::silu: {
        const Expr s = sigmoid(x);
        return s * (1.0f + x * (1.0f - s));
    }
    case Step::gelu: // Phi(x) + x * phi(x), with the density phi
        return 0.5f * (1.0f + erf(x * 0.70710678f)) + x * 0.39894228f * exp(-0.5f * x * x);
    case Step::sigmoid:
        return z * (1.0f - z);
    case Step::tanh:
        return 1.0f - z * z;
    case Step::hard_swish:
        return select(x <= -3.0f, 0.0f, x >= 3.0f, 1.0f, (2.0f * x + 3.0f) * (1.0f / 6.0f));
    case Step::bias:
    case Step::residual:
        break;
    }
    return 1.0f;
}

EpilogueResult apply_epilogue(const Epilogue& epilogue, int first, Expr sum,
                              const EpilogueOperands& operands) {
    Expr preactivation;
    for (int i = first; i < epilogue.count; ++i) {
        const Step step = epilogue.steps[static_cast<std::size_t>(i)];
        if (step == Step::bias) {
            sum = sum + operands.bias;
        } else if (step == Step::residual) {
            sum = sum + operands.residual;
        } else {
            preactivation = sum;
            sum = activation(step, epilogue, sum);
        }
    }
    return {sum, preactivation};
}

} // namespace lamina
