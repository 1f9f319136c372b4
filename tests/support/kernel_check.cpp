#include "tests/support/kernel_check.hpp"

#include "tests/reference/reference.hpp"
#include "tests/support/random_operands.hpp"
#include "tests/support/test_kernel.hpp"
#include "tests/support/tolerance.hpp"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>

namespace lamina::testing {

namespace {

bool same_bits(const Tensors& a, const Tensors& b) {
    for (const auto& [name, tensor] : a)
        for (std::size_t at = 0; at < tensor.data.size(); ++at) {
            const double left = tensor.data[at], right = b.at(name).data.at(at);
            if (left != right && !(std::isnan(left) && std::isnan(right)))
                return false;
        }
    return true;
}

std::string compare(const Problem& problem, const Tensors& expected, const Tensors& outputs,
                    std::string_view schedule) {
    for (const auto& [name, output] : outputs)
        if (std::string text = difference(problem, name, expected.at(name), output, schedule); !text.empty())
            return text;
    return "";
}

} // namespace

std::string what_is_wrong(const KernelCase& kernel_case) {
    const Problem& problem = kernel_case.problem;
    const TestKernel kernel(problem, *kernel_case.target, kernel_case.schedule);
    if (!kernel.error().empty())
        return kernel.error();
    Tensors tensors = random_operands(problem);
    const CallResult first = kernel.call(tensors);
    reference(problem, tensors);
    if (!first.error.empty())
        return first.error;
    if (std::string text = compare(problem, tensors, first.outputs, kernel.schedule()); !text.empty())
        return fmt::format("{} with {}", text, kernel.schedule());
    std::vector<CallConditions> others{{Flush::to_end, 2}, {Flush::to_start, 1}, {Flush::to_start, 2}};
    if (may_be_in_place(problem))
        others.insert(others.end(), {{Flush::to_end, 1, true}, {Flush::to_start, 2, true}});
    for (const CallConditions conditions : others) {
        const CallResult other = kernel.call(tensors, conditions);
        if (!other.error.empty())
            return other.error;
        if (!same_bits(first.outputs, other.outputs))
            return fmt::format("other bits on {} thread(s) with operands flush to the {}{}",
                               conditions.threads, conditions.flush == Flush::to_end ? "end" : "start",
                               conditions.is_in_place ? ", in place" : "");
    }
    return "";
}

std::string replay_line(const KernelCase& c) {
    return fmt::format("LAMINA_TEST_PROBLEM=\"{}\" LAMINA_TEST_TARGET={} LAMINA_TEST_SCHEDULE=\"{}\" "
                       "{} \"[replay]\"",
                       to_text(c.problem).view(), c.target->name, c.schedule,
                       std::filesystem::read_symlink("/proc/self/exe").string());
}

std::string corner_schedule(const Family& family, const Situation& situation, Random& random) {
    constexpr int draws = 40;
    for (int draw = 0; draw < draws; ++draw) {
        Knobs knobs;
        for (const Knob& knob : family.knobs) {
            const std::vector<int> values = knob.values(situation);
            const int corner = random.below(3);
            knobs.set(knob.name, corner == 0   ? values.front()
                                 : corner == 1 ? values.back()
                                               : random.element_of(values));
        }
        if (why_illegal(family, situation, knobs).empty())
            return to_text(family.name, knobs);
    }
    return to_text(family.name, family.defaults(situation, {}));
}

} // namespace lamina::testing
