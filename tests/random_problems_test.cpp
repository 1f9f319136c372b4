#include "tests/reference/reference.hpp"
#include "tests/support/random_operands.hpp"
#include "tests/support/random_problems.hpp"
#include "tests/support/tolerance.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <set>

using namespace lamina;
using namespace lamina::testing;

namespace {

std::string value_of(const Key& key, const Problem& problem) {
    Text text;
    key.print(problem, text);
    return std::string(text.view());
}

template <class Check>
void for_random_problems(int count, Check check) {
    Random random(20);
    for (int i = 0; i < count; ++i)
        check(random_problem(random));
}

// Sums that are not zero, without the epilogue.
std::ptrdiff_t nonzero_sums(const Problem& problem, Tensors tensors) {
    reference_sums(problem, tensors);
    const std::vector<double>& sums = tensors.at(std::string(main_result(problem).name)).data;
    return std::count_if(sums.begin(), sums.end(), [](double sum) { return sum != 0; });
}

} // namespace

TEST_CASE("Random problems are the same everywhere", "[support]") {
    Random random(0);
    CHECK(random.next() == 0xe220a8397b1dcdaf); // splitmix64's published first value from seed 0
    Random one(7), other(7);
    for (int i = 0; i < 20; ++i)
        CHECK(random_problem(one) == random_problem(other));
}

TEST_CASE("Random problems keep the rules, and their text gives them back", "[support]") {
    for_random_problems(500, [](const Problem& problem) {
        INFO(to_text(problem).view());
        CHECK(broken_rule(problem) == Rule::none);
        CHECK(parse_problem(to_text(problem)).problem == problem);
    });
}

TEST_CASE("Random problems reach every operator, key, padding mode and epilogue step", "[support]") {
    std::set<std::string> reached;
    for_random_problems(2000, [&](const Problem& problem) {
        reached.emplace(facts(problem.op).name);
        for (const Key& key : key_table)
            if (key.applies_to(problem.op) &&
                value_of(key, problem) != value_of(key, default_problem(problem.op)))
                reached.emplace(key.name);
        reached.emplace(padding_mode_names[static_cast<std::size_t>(problem.padding_mode)]);
        for (int i = 0; i < problem.epilogue.count; ++i)
            reached.emplace(name_of(problem.epilogue.steps[static_cast<std::size_t>(i)]));
    });
    for (const OperatorFacts& row : operator_table)
        CHECK(reached.count(std::string(row.name)) == 1);
    for (const Key& key : key_table)
        if (key.name != "type") // has one value
            CHECK(reached.count(std::string(key.name)) == 1);
    for (std::string_view name : padding_mode_names)
        CHECK(reached.count(std::string(name)) == 1);
    for (std::string_view name : step_names)
        CHECK(reached.count(std::string(name)) == 1);
}

TEST_CASE("Sums of random operands are exact in fp32", "[support]") {
    for_random_problems(500, [](const Problem& problem) {
        INFO(to_text(problem).view());
        CHECK(largest_sum(problem) <= 0x1p24);
        for (const auto& [name, tensor] : random_operands(problem))
            CHECK((name == "rates" || std::all_of(tensor.data.begin(), tensor.data.end(),
                                                  [](double value) { return value == std::trunc(value); })));
    });
}

TEST_CASE("Few sums of random operands are zero that need not be", "[support]") {
    for_random_problems(300, [](const Problem& problem) {
        INFO(to_text(problem).view());
        const Tensors tensors = random_operands(problem);
        Tensors ones = tensors;
        for (auto& [name, tensor] : ones)
            if (name != "indices")
                std::fill(tensor.data.begin(), tensor.data.end(), 1.0);
        const std::ptrdiff_t possible = nonzero_sums(problem, ones), actual = nonzero_sums(problem, tensors);
        // An activation's slope may be zero at most places.
        if (possible >= 64 && !takes_slope(problem))
            CHECK(actual >= possible / 4);
    });
}

TEST_CASE("Every tolerance states its reason and stays below a ten-thousandth", "[support]") {
    for (const Tolerance& row : tolerance_table()) {
        INFO(row.what);
        CHECK(!row.reason.empty());
        CHECK(row.relative < 1e-4);
        CHECK(row.absolute < 1e-4);
    }
}
