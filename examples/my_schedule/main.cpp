// lamina_my_schedule: times the variants of one kernel against each other, in the app that uses them.
#include "mixing.h"

#include <lamina/problem_text.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

using Tensor = lamina::Tensor<float>;

struct Candidate {
    const mixing::mix_variant* variant;
    Tensor packed{variant->packed_kernel_shape}, output{mixing::mix_output_shape};
    std::vector<double> seconds = {}; // of each round
};

struct Operands {
    Tensor input{mixing::mix_input_shape}, kernel{mixing::mix_pack_kernel_shape},
        bias{mixing::mix_bias_shape};
};

// Small integers, so that every order of the sums gives the same.
void fill(Tensor& tensor, int seed) {
    for (float& value : tensor.values()) {
        seed = (seed * 37 + 11) % 101;
        value = static_cast<float>(seed % 9 - 4);
    }
}

lamina::Status call(lamina::Context& context, const Operands& operands, Candidate& c) {
    return c.variant->call(context, operands.input, c.packed, operands.bias, c.output);
}

// In rounds that each call every candidate, so that whatever else the machine does meets all of them.
lamina::Status time_rounds(lamina::Context& context, const Operands& operands, double seconds,
                           std::vector<Candidate>& candidates) {
    using Clock = std::chrono::steady_clock;
    lamina::Status status;
    const auto start = Clock::now();
    do {
        for (Candidate& c : candidates) {
            const auto begin = Clock::now();
            status = call(context, operands, c);
            c.seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
            if (!status)
                return status;
        }
    } while (std::chrono::duration<double>(Clock::now() - start).count() < seconds);
    return status;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

void print(const std::vector<Candidate>& candidates) {
    const lamina::Problem problem = lamina::parse_problem(mixing_mix_kernel.problem).problem;
    const double operations = static_cast<double>(lamina::operation_count(problem)) / 1e9,
                 first = median(candidates[0].seconds);
    std::printf("%s\n%-10s %-24s %9s %9s %9s\n", mixing_mix_kernel.problem, "variant", "schedule", "ms",
                "GFLOP/s", "speed");
    for (const Candidate& c : candidates) {
        const double seconds = median(c.seconds);
        std::printf("%-10s %-24s %9.4f %9.1f %8.2fx\n", c.variant->name,
                    *c.variant->schedule ? c.variant->schedule : "chosen by lamina", seconds * 1e3,
                    operations / seconds, first / seconds);
    }
}

int fail(const char* variant, std::string_view message) {
    std::fprintf(stderr, "lamina_my_schedule: %s: %.*s\n", variant, static_cast<int>(message.size()),
                 message.data());
    return 1;
}

int run(double seconds) {
    Operands operands;
    fill(operands.input, 1);
    fill(operands.kernel, 2);
    fill(operands.bias, 3);
    lamina::Context context;
    std::vector<Candidate> candidates;
    for (const mixing::mix_variant& variant : mixing::mix_variants) {
        Candidate& c = candidates.emplace_back(Candidate{&variant});
        lamina::Status status = variant.pack(context, operands.kernel, c.packed);
        if (status)
            status = call(context, operands, c);
        if (!status)
            return fail(variant.name, status.message());
        if (!std::ranges::equal(c.output.values(), candidates[0].output.values()))
            return fail(variant.name, "gives another output than the first one");
    }
    if (const lamina::Status status = time_rounds(context, operands, seconds, candidates); !status)
        return fail("timing", status.message());
    print(candidates);
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    const double seconds = argc == 2 ? std::atof(argv[1]) : 1;
    if (argc <= 2 && seconds > 0)
        return run(seconds);
    std::fputs("usage: lamina_my_schedule [SECONDS]\n", stderr);
    return 2;
}
