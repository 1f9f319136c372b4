#include "generators/input_prefetch.hpp"
#include "lamina/problem_text.hpp"
#include "schedules/choice.hpp"

#include <catch2/catch.hpp>

#include <map>

using namespace lamina;

namespace {

using namespace Halide::Internal;

// Two strips of 4 rows of 48 positions; of the input, rows of 8 lines.
const char* const small_map =
    "separable_convolution in=2x8x16x8 out_channels=24 kernel_size=3x3 padding=same";
constexpr std::int64_t lines_of_row = 8, lines_of_image = 8 * lines_of_row;

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

// Runs the loops of one strip and notes which lines of the input it would fetch.
class RunPrefetches : public IRVisitor {
public:
    void run(const LoweredFunc& function, int task) {
        for (const LoweredArgument& argument : function.args)
            if (argument.name.ends_with(".task"))
                values_[argument.name] = task;
        function.body.accept(this);
    }

    std::map<std::int64_t, int> fetched; // lines, and how often each

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

    void visit(const Call* call) override {
        if (!call->name.starts_with("llvm.prefetch"))
            return;
        const Reinterpret* address = call->args[0].as<Reinterpret>();
        REQUIRE(address);
        const Add* sum = address->value.as<Add>(); // of the input and bytes behind it
        REQUIRE(sum);
        const auto bytes = as_const_uint(value(sum->b));
        REQUIRE(bytes);
        ++fetched[static_cast<std::int64_t>(*bytes) / 64];
    }
};

std::map<std::int64_t, int> fetched_lines(const std::string& schedule, int task) {
    const ParsedProblem parsed = parse_problem(small_map);
    REQUIRE(parsed.error.view() == "");
    const Situation situation{parsed.problem, find_target("x86-64-linux-avx2")};
    const Choice choice = choose_schedule(situation, schedule, "");
    REQUIRE(choice.error == "");
    const Halide::Module module =
        with_input_prefetch(lowered(parsed.problem, to_text(choice.family->name, choice.knobs)),
                            parsed.problem, choice.family->request(situation, choice.knobs));
    RunPrefetches run;
    for (const LoweredFunc& function : module.functions())
        run.run(function, task);
    return run.fetched;
}

} // namespace

TEST_CASE("The tiles of a strip fetch what the next strip reads first", "[schedules]") {
    // The first strip's windows end with row 4; three rows of the second one's are new, and there is no
    // row 8.
    for (const char* tiles : {"vectors:1,positions:6,unroll:4", "vectors:3,positions:4,unroll:1"})
        for (const int image : {0, 1}) {
            const std::map<std::int64_t, int> lines =
                fetched_lines(std::string("separable,strip:4,ahead:1,") + tiles, 2 * image);
            const std::int64_t first = image * lines_of_image + 5 * lines_of_row;
            for (std::int64_t line = first; line < (image + 1) * lines_of_image; ++line) {
                INFO(tiles << ", line " << line);
                CHECK(lines.contains(line));
            }
            REQUIRE(!lines.empty());
            CHECK(lines.begin()->first == first);
            CHECK(lines.rbegin()->first == first + 4 * lines_of_row - 1);
        }
}

TEST_CASE("No input is fetched where the schedule does not ask for it", "[schedules]") {
    CHECK(fetched_lines("separable,strip:4,ahead:0", 0).empty());
}
