#include "tests/support/random_operands.hpp"

#include <algorithm>
#include <cmath>

namespace lamina::testing {

namespace {

constexpr int largest_value = 4;

// Products that one sum has.
double products(const Problem& p) {
    const Operands list = operands(p);
    const Operand* kernel = list.find("kernel");
    return kernel ? static_cast<double>(kernel->elements()) / p.out_channels : 1;
}

bool saturates(const Epilogue& epilogue) {
    for (int i = 0; i < epilogue.count; ++i) {
        const Step step = epilogue.steps[static_cast<std::size_t>(i)];
        if (is_activation(step) && step != Step::relu && step != Step::leaky_relu)
            return true;
    }
    return false;
}

// The values of one operand: up to `largest` in magnitude, and the part of them that is not zero.
struct Values {
    int largest = largest_value;
    double density = 15.0 / 16;
};

// An activation with limits shall not map every sum to them: sums with a standard deviation of about 6, of
// values as small as possible rather than of few.
Values values_of(const Problem& p, std::string_view operand) {
    constexpr double wanted_variance = 36;
    Values values;
    if (!saturates(p.epilogue) || (operand != "input" && operand != "kernel"))
        return values;
    values.largest = products(p) < 16 ? 2 : 1;
    if (operand == "kernel")
        values.density = std::min(values.density, wanted_variance / products(p));
    return values;
}

void fill(TestTensor& tensor, Random& random, const Values& values) {
    for (double& value : tensor.data) {
        const int magnitude = random.between(1, values.largest);
        const bool is_negative = random.chance(0.5);
        value = random.chance(values.density) ? (is_negative ? -magnitude : magnitude) : 0;
    }
}

// Maps of negative values alone show whether padding wins a maximum.
void make_negative(TestTensor& tensor) {
    for (double& value : tensor.data)
        value -= largest_value + 1;
}

// What a max pool of that window would have found in a map of distinct values, and now and then an index
// outside the element's own window, which must be ignored.
void fill_unpool(const Problem& p, Tensors& tensors, Random& random) {
    const MapView<TestTensor> input(tensors.at("input"), p.layout), indices(tensors.at("indices"), p.layout);
    const Shape out = output_shape(p);
    const Padding padding = resolved_padding(p);
    const auto salt = random.next();
    // Windows that overlap must agree on where their common maximum is.
    const auto value_at = [&](int n, int row, int column, int c) {
        const int flat = ((n * out.height + row) * out.width + column) * p.in.channels + c;
        return static_cast<double>(Random(salt + static_cast<std::uint64_t>(flat)).between(1, 1 << 20));
    };
    for_each_element(input, [&](int n, int i, int j, int c) {
        double best = 0;
        int index = -1;
        for (int a = 0; a < p.kernel_size.height; ++a)
            for (int b = 0; b < p.kernel_size.width; ++b) {
                const int row = i * p.stride.height + a - padding.top;
                const int column = j * p.stride.width + b - padding.left;
                if (row < 0 || row >= out.height || column < 0 || column >= out.width ||
                    value_at(n, row, column, c) <= best)
                    continue;
                best = value_at(n, row, column, c);
                index = row * out.width + column;
            }
        input(n, i, j, c) = best;
        const int foreign = random.pick({-1, out.height * out.width, 1 << 30, -(1 << 30)});
        indices(n, i, j, c) = random.chance(0.1) ? foreign : index;
    });
}

} // namespace

double largest_sum(const Problem& p) {
    if (p.op == Operator::max_unpool)
        return 1 << 20;
    const double magnitude = 2 * largest_value + 1;
    const double window = static_cast<double>(p.kernel_size.height) * p.kernel_size.width;
    if (facts(p.op).has_kernel)
        return products(p) * largest_value * largest_value + 2 * largest_value;
    return std::max(window, static_cast<double>(p.in.height) * p.in.width) *
           std::pow(magnitude, std::max(1.0, p.power.value()));
}

Tensors random_operands(const Problem& p) {
    Random random(seed_of(to_text(p).view()));
    const int batch = p.in.batch == open_batch ? random.between(1, 3) : p.in.batch;
    Tensors tensors;
    for (const Operand& operand : operands(p)) {
        if (operand.direction == Direction::out)
            continue;
        TestTensor& tensor = tensors[std::string(operand.name)] = tensor_for(operand, batch);
        fill(tensor, random, values_of(p, operand.name));
        if (!facts(p.op).has_kernel && random.chance(0.4))
            make_negative(tensor);
    }
    if (p.op == Operator::max_unpool)
        fill_unpool(p, tensors, random);
    return tensors;
}

} // namespace lamina::testing
