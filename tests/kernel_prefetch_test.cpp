#include "generators/kernel_prefetch.hpp"
#include "lamina/problem_text.hpp"
#include "schedules/choice.hpp"
#include "tests/support/test_folder.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <map>

using namespace lamina;

namespace {

using namespace Halide::Internal;

const char* const small_map = "cross_correlation in=1x7x7x32 out_channels=48 kernel_size=3x3 padding=same";

// Lowered without a packed kernel, whose name is all that matters here.
Halide::Module lowered(const Problem& problem, const std::string& schedule) {
    const TargetFacts& target = *find_target("x86-64-linux-avx2");
    AbstractGeneratorPtr generator = GeneratorRegistry::create(
        std::string(facts(problem.op).name), Halide::GeneratorContext(kernel_target(target)));
    for (const Key& key : key_table)
        if (key.applies_to(problem.op)) {
            Text value;
            key.print(problem, value);
            generator->set_generatorparam_value(std::string(key.name), std::string(value.view()));
        }
    generator->set_generatorparam_value("schedule", schedule);
    generator->set_generatorparam_value("kernel_form", "packed");
    return generator->build_module("kernel");
}

// Runs the loops of a function and notes what each prefetch of block `co` + 1 would fetch.
class RunPrefetches : public IRVisitor {
public:
    void run(const LoweredFunc& function) {
        for (const LoweredArgument& argument : function.args)
            if (argument.name.ends_with(".c.co"))
                values_[argument.name] = 0;
        function.body.accept(this);
    }

    std::map<std::int64_t, int> fetched; // lines of the packed kernel, and how often each

private:
    std::map<std::string, Halide::Expr> values_;
    using IRVisitor::visit;

    Halide::Expr value(const Halide::Expr& e) const { return simplify(substitute(values_, e)); }

    void visit(const For* loop) override {
        const auto first = as_const_int(value(loop->min)), extent = as_const_int(value(loop->extent));
        if (!first || !extent)
            return;
        for (std::int64_t i = *first; i < *first + *extent; ++i) {
            values_[loop->name] = Halide::Expr(static_cast<int>(i));
            loop->body.accept(this);
        }
        values_.erase(loop->name);
    }

    void visit(const IfThenElse* branch) override {
        if (is_const_one(value(branch->condition)))
            branch->then_case.accept(this);
        else if (branch->else_case.defined())
            branch->else_case.accept(this);
    }

    void visit(const Call* call) override {
        if (call->name != "lamina_prefetch")
            return;
        const auto at = as_const_int(value(call->args[1])), floats = as_const_int(value(call->args[2]));
        REQUIRE(at);
        REQUIRE(floats);
        for (std::int64_t line = 0; line < *floats / 16; ++line)
            ++fetched[*at / 16 + line];
    }
};

std::map<std::int64_t, int> fetched_lines(const std::string& schedule) {
    const ParsedProblem parsed = parse_problem(small_map);
    REQUIRE(parsed.error.view() == "");
    const Situation situation{parsed.problem, find_target("x86-64-linux-avx2")};
    const Choice choice = choose_schedule(situation, schedule, "");
    REQUIRE(choice.error == "");
    const Halide::Module module =
        with_kernel_prefetch(lowered(parsed.problem, to_text(choice.family->name, choice.knobs)),
                             parsed.problem, choice.family->request(situation, choice.knobs));
    RunPrefetches run;
    for (const LoweredFunc& function : module.functions())
        run.run(function);
    return run.fetched;
}

} // namespace

TEST_CASE("The tiles of a block fetch the next block's kernel, each line once", "[schedules]") {
    // Whatever names Halide has given before.
    lowered(parse_problem(small_map).problem, "generic");
    // Blocks of 16 channels x 32 x 9 floats are 288 lines; 10 tiles of 5 positions, 2 chunks, 9 elements.
    const std::map<std::int64_t, int> lines =
        fetched_lines("direct,vectors:2,positions:5,chunk:16,skip:0,ahead:1");
    REQUIRE(lines.size() >= 288);
    for (std::int64_t line = 288; line < 2 * 288; ++line) {
        INFO("line " << line);
        CHECK(lines.contains(line));
    }
    for (const auto& [line, times] : lines)
        CHECK(times == 1);
}

TEST_CASE("Nothing is fetched where the schedule does not ask for it", "[schedules]") {
    CHECK(fetched_lines("direct,vectors:2,positions:5,chunk:16,skip:0,ahead:0").empty());
}
