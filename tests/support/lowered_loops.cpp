#include "tests/support/lowered_loops.hpp"

#include "lamina/problem_text.hpp"
#include "schedules/choice.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

namespace lamina::testing {

using namespace Halide::Internal;

LoweredKernel lowered(const std::string& problem, const std::string& schedule) {
    const ParsedProblem parsed = parse_problem(problem);
    REQUIRE(parsed.error.view() == "");
    const Problem& p = parsed.problem;
    const TargetFacts& target = *find_target("x86-64-linux-avx2");
    const Situation situation{p, &target};
    const Choice choice = choose_schedule(situation, schedule, "");
    REQUIRE(choice.error == "");

    AbstractGeneratorPtr generator = GeneratorRegistry::create(
        std::string(facts(p.op).name), Halide::GeneratorContext(kernel_target(target)));
    for (const Key& key : key_table)
        if (key.applies_to(p.op)) {
            Text value;
            key.print(p, value);
            generator->set_generatorparam_value(std::string(key.name), std::string(value.view()));
        }
    generator->set_generatorparam_value("schedule", to_text(choice.family->name, choice.knobs));
    generator->set_generatorparam_value("kernel_form", "packed");
    return {p, choice.family->request(situation, choice.knobs), generator->build_module("kernel")};
}

bool has_tasks(const Halide::Module& module, std::string_view loop) {
    return std::ranges::any_of(module.functions(), [&](const LoweredFunc& body) {
        return body.name.find(loop) != std::string::npos; // a task is a function of its loop's name
    });
}

void RunLoops::run(const Halide::Module& module, const std::map<std::string, int>& arguments) {
    for (const LoweredFunc& function : module.functions()) {
        values_.clear();
        for (const LoweredArgument& argument : function.args)
            for (const auto& [ending, value] : arguments)
                if (argument.name.ends_with(ending))
                    values_[argument.name] = value;
        function.body.accept(this);
    }
}

std::int64_t RunLoops::value(const Halide::Expr& e) const {
    const Halide::Expr known = simplified(e);
    if (const auto constant = as_const_uint(known))
        return static_cast<std::int64_t>(*constant);
    const auto constant = as_const_int(known);
    INFO(known);
    REQUIRE(constant);
    return *constant;
}

Halide::Expr RunLoops::simplified(const Halide::Expr& e) const {
    return simplify(substitute(values_, e));
}

// Loops of unknown length are of no prefetch.
void RunLoops::visit(const For* loop) {
    const auto first = as_const_int(simplified(loop->min)), extent = as_const_int(simplified(loop->extent));
    if (!first || !extent)
        return;
    for (std::int64_t i = *first; i < *first + *extent; ++i) {
        values_[loop->name] = Halide::Expr(static_cast<int>(i));
        turned();
        loop->body.accept(this);
    }
    values_.erase(loop->name);
}

void RunLoops::visit(const LetStmt* let) {
    values_[let->name] = simplified(let->value);
    let->body.accept(this);
    values_.erase(let->name);
}

void RunLoops::visit(const IfThenElse* branch) {
    if (is_const_one(simplified(branch->condition)))
        branch->then_case.accept(this);
    else if (branch->else_case.defined())
        branch->else_case.accept(this);
}

void RunLoops::visit(const Call* call) {
    called(call);
}

void FetchedLines::called(const Call* call) {
    constexpr int bytes_of_line = 64;
    if (!call->name.starts_with("llvm.prefetch"))
        return;
    const Reinterpret* address = call->args[0].as<Reinterpret>();
    REQUIRE(address);
    const Add* sum = address->value.as<Add>(); // of the buffer and bytes behind its first
    REQUIRE(sum);
    const Reinterpret* base = sum->a.as<Reinterpret>();
    REQUIRE(base);
    const Variable* buffer = base->value.as<Variable>();
    REQUIRE(buffer);
    const std::string name = buffer->name.substr(0, buffer->name.find('$')); // Halide may number it
    CHECK((name == buffer_ || name == beside_));
    if (name != buffer_)
        return;
    ++lines[value(sum->b) / bytes_of_line];
    most_in_a_turn = std::max(most_in_a_turn, ++in_turn_);
}

} // namespace lamina::testing
