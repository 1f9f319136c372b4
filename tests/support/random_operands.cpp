#include "tests/support/random_operands.hpp"

#include "tests/support/tolerance.hpp"

#include <algorithm>
#include <cmath>

namespace lamina::testing {

namespace {

constexpr int largest_value = 4;

// Products that one sum has, with as many images as a test has.
double products(const Problem& p) {
    constexpr int most_images = 3;
    const Shape out = output_shape(p);
    const double window = static_cast<double>(kernel_operand(p).elements()) / p.out_channels;
    if (!facts(p.op).has_kernel)
        return 1;
    switch (facts(p.op).gradient) {
    case Gradient::input: // the kernel's other channels; padding may fold several windows onto one element
        return window / (p.in.channels / p.groups) * (p.out_channels / p.groups) *
               (p.padding_mode == PaddingMode::zeros ? 1 : 9);
    case Gradient::kernel:
    case Gradient::bias:
        return static_cast<double>(std::max(out.height, p.in.height)) * std::max(out.width, p.in.width) *
               most_images;
    default:
        return window;
    }
}

// Values that a gradient's slope is told by: sigmoid and tanh make up to 20 of them.
constexpr double largest_slope = 20;

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

Values values_of(const Problem& p, std::string_view operand);

// Depthwise sums as of a layer with an activation, and few products with them, where one of the two parts has
// one whose values are rounded or have limits.
Values separable_values(const Problem& p, std::string_view operand) {
    constexpr double wanted_products = 4;
    Problem depthwise = depthwise_part(p);
    Values values;
    if (!saturates(p.epilogue) && !saturates(depthwise.epilogue) && tolerance_of(depthwise).relative == 0)
        return values;
    if (operand == "kernel") {
        values.largest = 1;
        values.density = std::min(values.density, wanted_products / p.in.channels);
        return values;
    }
    depthwise.epilogue = Epilogue().add(Step::sigmoid);
    return values_of(depthwise, operand == "depthwise_kernel" ? "kernel" : operand);
}

// An activation with limits shall not map every sum to them: sums with a standard deviation of about 6, of
// values as small as possible rather than of few.
Values values_of(const Problem& p, std::string_view operand) {
    if (p.op == Operator::separable_convolution)
        return separable_values(p, operand);
    constexpr double wanted_variance = 36;
    Values values;
    // Slopes are rounded: few products, and small ones, keep the errors of their sums below the tolerance.
    if (takes_slope(p) && tolerance_of(p).relative > 0 &&
        (operand == "input" || operand == "kernel" || operand == "output_gradient")) {
        values.largest = 1;
        if (operand == "output_gradient")
            values.density = std::min(values.density, wanted_variance / products(p));
        return values;
    }
    if (is_gradient(p.op))
        return values;
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

// What a max pool may have found: elements of each window, and now and then one outside of it, which no
// window asks for. Both kinds of indices that no element has are among them.
void fill_pool_indices(const Problem& p, Tensors& tensors, Random& random) {
    const MapView<TestTensor> indices(tensors.at("indices"), p.layout);
    const bool is_global = !facts(p.op).has_window;
    const Padding padding = resolved_padding(p);
    for_each_element(indices, [&](int n, int i, int j, int c) {
        const int row = is_global ? random.below(p.in.height)
                                  : i * p.stride.height - padding.top +
                                        random.below(p.kernel_size.height) * p.dilation.height;
        const int column = is_global ? random.below(p.in.width)
                                     : j * p.stride.width - padding.left +
                                           random.below(p.kernel_size.width) * p.dilation.width;
        const bool is_element = row >= 0 && row < p.in.height && column >= 0 && column < p.in.width;
        const int foreign = random.pick({-1, p.in.height * p.in.width, 1 << 30, -(1 << 30)});
        indices(n, i, j, c) = is_element && random.chance(0.9) ? row * p.in.width + column : foreign;
    });
}

// What a max pool of that window would have found in a map of distinct values, and now and then an index
// outside the element's own window, which must be ignored.
void fill_unpool(const Problem& p, Tensors& tensors, Random& random) {
    const MapView<TestTensor> indices(tensors.at("indices"), p.layout);
    TestTensor maxima(tensors.at("indices").shape); // the input, where the operator takes it
    const MapView<TestTensor> input(maxima, p.layout);
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
    if (tensors.count("input") == 1)
        tensors.at("input") = std::move(maxima);
}

// Channels, and now and then what is none.
void fill_labels(const Problem& p, TestTensor& labels, Random& random) {
    for (double& label : labels.data)
        label = random.chance(0.95) ? random.below(p.in.channels)
                                    : random.pick({-1, p.in.channels, 1 << 30, -(1 << 30)});
}

double in_fp32(double value) {
    return static_cast<float>(value);
}

// Those of sgd have few bits, so that its results are exact.
void fill_rates(const Problem& p, TestTensor& rates, Random& random) {
    if (p.op == Operator::sgd) {
        rates.data = {random.pick({1, 2, 4}) / 8.0, random.pick({0, 2, 3}) / 4.0,
                      random.pick({0, 1, 2}) / 16.0};
        return;
    }
    const int step = random.between(1, 5);
    const double beta1 = random.pick({50, 90}) / 100.0, beta2 = random.pick({900, 999}) / 1000.0;
    rates.data = {in_fp32(random.pick({1, 10, 100}) / 1000.0 / (1 - std::pow(beta1, step))),
                  in_fp32(beta1),
                  in_fp32(beta2),
                  in_fp32(random.between(100, 200) / 100.0),
                  in_fp32(1e-3),
                  in_fp32(random.pick({0, 1, 10}) / 100.0)};
}

} // namespace

double largest_sum(const Problem& p) {
    if (forward_of(p.op) == Operator::max_unpool)
        return 1 << 20;
    const double magnitude = 2 * largest_value + 1;
    const double window = static_cast<double>(p.kernel_size.height) * p.kernel_size.width;
    if (p.op == Operator::separable_convolution)
        return largest_sum(depthwise_part(p)) * largest_value * p.in.channels + 2 * largest_value;
    if (facts(p.op).has_kernel)
        return products(p) * largest_value * largest_value * (takes_slope(p) ? largest_slope : 1) +
               2 * largest_value;
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
    if (tensors.count("labels") == 1)
        fill_labels(p, tensors.at("labels"), random);
    if (tensors.count("rates") == 1)
        fill_rates(p, tensors.at("rates"), random);
    if (tensors.count("second_moment") == 1)
        for (double& value : tensors.at("second_moment").data)
            value = std::abs(value);
    const Operator forward = forward_of(p.op);
    if (forward == Operator::max_unpool)
        fill_unpool(p, tensors, random);
    else if (tensors.count("indices") == 1)
        fill_pool_indices(p, tensors, random);
    // Norms are not negative, and a power of the smallest would be too large for sums to be exact.
    if (p.op == Operator::lp_pool_input_gradient)
        for (double& value : tensors.at("output").data)
            value = std::abs(value);
    return tensors;
}

} // namespace lamina::testing
