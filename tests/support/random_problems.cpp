#include "tests/support/random_problems.hpp"

namespace lamina::testing {

namespace {

// Few enough that the fp64 reference takes milliseconds.
constexpr std::int64_t most_operations = 1'000'000;

Size random_size(Random& random, std::initializer_list<int> values) {
    const int height = random.pick(values);
    return {height, random.chance(0.6) ? height : random.pick(values)};
}

Shape random_input(Random& random) {
    const int batch = random.pick({1, 1, 2, 3, open_batch});
    const auto extent = [&] { return random.pick({1, 2, 3, 4, 5, 7, 8, 9, 11, 13, 16, 19}); };
    const int height = extent();
    return {batch, height, random.chance(0.4) ? height : extent(),
            random.pick({1, 2, 3, 4, 5, 8, 12, 16, 17, 24, 32, 33, 48, 64})};
}

Padding random_padding(Random& random, const Problem& p) {
    const int most = facts(p.op).has_kernel ? 4 : p.kernel_size.height;
    switch (random.below(5)) {
    case 0:
        return valid;
    case 1:
        return same;
    case 2:
        return random.below(most);
    case 3:
        return Size(random.below(most), random.below(most));
    default:
        return {random.below(most), random.below(most), random.below(most), random.below(most)};
    }
}

void set_channels(Random& random, Problem& p, bool has_groups) {
    p.out_channels = random.pick({1, 3, 4, 8, 15, 16, 17, 24, 32, 33, 64});
    if (!has_groups || random.chance(0.5))
        return;
    if (random.chance(0.4)) {
        p.groups = p.in.channels;
        p.out_channels = p.in.channels * random.pick({1, 1, 1, 2});
        return;
    }
    p.groups = random.pick({2, 3, 4});
    p.in.channels = p.groups * random.pick({1, 2, 3, 5, 8, 16});
    p.out_channels = p.groups * random.pick({1, 2, 3, 4, 8, 16, 17});
}

Epilogue random_epilogue(Random& random) {
    Step steps[] = {Step::bias, Step::residual,
                    static_cast<Step>(random.between(static_cast<int>(Step::relu),
                                                     static_cast<int>(std::size(step_names)) - 1))};
    for (int i = 2; i > 0; --i)
        std::swap(steps[i], steps[random.below(i + 1)]);
    Epilogue epilogue;
    for (Step step : steps)
        if (random.chance(0.6))
            epilogue.add(step);
    if (epilogue.has(Step::leaky_relu) && random.chance(0.5))
        epilogue.leaky_slope = {random.pick({0, 125'000, 200'000, 500'000})};
    return epilogue;
}

void set_window(Random& random, Problem& p, bool (*has)(Operator, std::string_view)) {
    // Families of their own compute what looks at one position only.
    if (random.chance(0.15)) {
        p.kernel_size = p.stride = Size(1);
        p.padding = valid;
        return;
    }
    p.kernel_size = random_size(random, {1, 2, 3, 3, 3, 4, 5, 7});
    p.stride = random_size(random, {1, 1, 1, 2, 2, 3});
    if (has(p.op, "dilation"))
        p.dilation = random_size(random, {1, 1, 1, 2, 3});
    p.padding = random_padding(random, p);
    if (has(p.op, "padding_mode"))
        p.padding_mode = static_cast<PaddingMode>(random.below(std::size(padding_mode_names)));
    if (has(p.op, "output_padding") && random.chance(0.5))
        p.output_padding = {random.below(3), random.below(3)};
}

// Half of them with neighbouring windows and no padding, which Winograd's tiles can hold.
void set_pool(Random& random, Problem& p) {
    p.pool_kernel_size = random_size(random, {1, 2, 2, 2, 3, 4, 5});
    p.pool_stride = p.pool_kernel_size;
    if (random.chance(0.5))
        return;
    p.pool_stride = random_size(random, {1, 2, 2, 3});
    p.pool_padding = random.chance(0.2) ? same : Padding(Size(random.below(3), random.below(3)));
}

bool has_key(Operator op, std::string_view name) {
    for (const Key& key : key_table)
        if (key.name == name)
            return key.applies_to(op);
    return false;
}

// May break a rule.
Problem any_problem(Random& random, Operator op) {
    Problem p = default_problem(op);
    p.in = random_input(random);
    if (facts(op).has_kernel) {
        set_channels(random, p, has_key(op, "groups"));
        p.epilogue = random_epilogue(random);
    }
    if (has_key(op, "depthwise_epilogue"))
        p.depthwise_epilogue = random_epilogue(random); // a residual breaks a rule
    if (facts(op).has_window)
        set_window(random, p, has_key);
    if (has_key(op, "pool_kernel_size"))
        set_pool(random, p);
    if (is_update(op)) // of less than a vector, of some, and of several tasks
        p.in = {1, 1, 1, random.pick({1, 3, 5, 8, 17, 64, 101, 1000, 4099, 70'001})};
    if (has_key(op, "layout"))
        p.layout = random.chance(0.3) ? Layout::nchw : Layout::nhwc;
    if (has_key(op, "algorithm") && random.chance(0.1))
        p.algorithm = Algorithm::exact;
    if (has_key(op, "count_padding"))
        p.count_padding = random.chance(0.5);
    if (has_key(op, "ceil"))
        p.ceil = random.chance(0.5);
    if (has_key(op, "power"))
        p.power = {random.pick({500'000, 1'000'000, 2'000'000, 2'000'000, 3'000'000})};
    if (has_key(op, "indices"))
        p.indices = random.chance(0.5);
    if (has_key(op, "preactivation") && activation_of(p.epilogue))
        p.preactivation = random.chance(0.2);
    return p;
}

} // namespace

Problem random_problem(Random& random, Operator op) {
    for (;;) {
        const Problem problem = any_problem(random, op);
        if (broken_rule(problem) == Rule::none && operation_count(problem) <= most_operations)
            return problem;
    }
}

Problem random_problem(Random& random) {
    constexpr Operator often[] = {Operator::cross_correlation,      Operator::cross_correlation,
                                  Operator::cross_correlation,      Operator::convolution,
                                  Operator::transposed_convolution, Operator::max_pool};
    const int choice = random.below(static_cast<int>(std::size(operator_table) + std::size(often)));
    const auto rows = static_cast<int>(std::size(operator_table));
    return random_problem(random, choice < rows ? operator_table[choice].op : often[choice - rows]);
}

} // namespace lamina::testing
