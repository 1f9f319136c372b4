#include "tests/reference/reference.hpp"
#include "tests/support/environment.hpp"
#include "tests/support/kernel_check.hpp"
#include "tests/support/random_problems.hpp"
#include "tests/support/test_kernel.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <set>

using namespace lamina;
using namespace lamina::testing;

namespace {

// One problem on one target, with every schedule to try there.
struct Sample {
    KernelCase kernel_case;
    std::vector<std::string> schedules;
};

// Runs unless told not to, when an exception passes as well.
struct AtExit {
    std::function<void()> run;
    bool is_needed = true;
    ~AtExit() {
        if (is_needed)
            run();
    }
};

int problem_count() {
    return environment_number("LAMINA_TEST_PROBLEMS", 500);
}

Random random_of_problem(int number) {
    const int seed = environment_number("LAMINA_TEST_SEED", 1);
    return Random(seed_of(fmt::format("{} {}", seed, number)));
}

Sample random_sample(int number, const std::vector<const TargetFacts*>& targets) {
    Random random = random_of_problem(number);
    Sample sample;
    const std::optional<Operator> op = operator_named(environment("LAMINA_TEST_OPERATOR"));
    sample.kernel_case.problem = op ? random_problem(random, *op) : random_problem(random);
    sample.kernel_case.target = random.element_of(targets);
    sample.schedules.push_back("");
    const Situation situation{sample.kernel_case.problem, sample.kernel_case.target};
    for (const Family* family : family_table())
        if (!family->is_baseline && !family->knobs.empty() && why_unfit(*family, situation).empty())
            sample.schedules.push_back(corner_schedule(*family, situation, random));
    return sample;
}

void check(const KernelCase& kernel_case) {
    const int seed = environment_number("LAMINA_TEST_SEED", 1);
    INFO("problem:  " << to_text(kernel_case.problem).view());
    INFO("schedule: " << (kernel_case.schedule.empty() ? "default" : kernel_case.schedule) << " on "
                      << kernel_case.target->name << "; LAMINA_TEST_SEED=" << seed);
    // Catch would break the command into lines.
    AtExit replay{[&] { fmt::print(stderr, "replay: {}\n", replay_line(kernel_case)); }};
    const std::string wrong = what_is_wrong(kernel_case);
    replay.is_needed = !wrong.empty();
    CHECK(wrong == "");
}

} // namespace

// Hidden, because it stands for no case of its own: replay_line() says how to run it.
TEST_CASE("The case named by the environment gives the reference's results", "[.][replay]") {
    const ParsedProblem parsed = parse_problem(environment("LAMINA_TEST_PROBLEM"));
    INFO("LAMINA_TEST_PROBLEM: " << parsed.error.view());
    REQUIRE(parsed.ok());
    const std::string name = environment("LAMINA_TEST_TARGET");
    const TargetFacts* target = name.empty() ? runnable_targets().back() : find_target(name);
    REQUIRE(target != nullptr);
    REQUIRE(can_run_here(*target));
    check({parsed.problem, target, environment("LAMINA_TEST_SCHEDULE")});
}

TEST_CASE("What random problems once found to be wrong gives the reference's results", "[found]") {
    struct Found {
        std::string_view problem, schedule;
    };
    // A result of 17 floats at the end of a page, which begins where no vector may be aligned (SSE4.1); a map
    // that has fewer columns than a vector has lanes; tasks that read different numbers of rows; images of a
    // known number that are one row of positions, in several strips, with parts and with vectors along the
    // input; blocks of a strip that each task stores for itself, of rows that Halide does not count, also
    // with padding that is not left out; rows under a single row of a pool, with padding,
    // and where Halide folds them; a pool's last step that adds no row.
    for (const auto& [problem, schedule] :
         {Found{"cross_correlation_kernel_gradient in=1x4x4x17 out_channels=17 kernel_size=1x1 groups=17 "
                "epilogue=none",
                "kernel_gradient,vectors:1,channels:1,rows:1,images:0"},
          Found{"cross_correlation_input_gradient in=1x4x11x5 out_channels=5 kernel_size=4x7 stride=2x2 "
                "dilation=2x2 padding=same groups=5 epilogue=gelu,residual",
                "depthwise,columns:1,strip:1,stored:0"},
          Found{
              "transposed_convolution_input_gradient in=1x7x5x64 out_channels=64 kernel_size=7x7 stride=2x2 "
              "dilation=3x1 padding=3x2 output_padding=1x0 groups=64 epilogue=tanh,bias",
              "depthwise,columns:5,strip:1,stored:0"},
          Found{"cross_correlation_kernel_gradient in=2x8x8x16 out_channels=32 kernel_size=1x1 epilogue=none",
                "pointwise_kernel_gradient,positions:12,parts:1"},
          Found{"cross_correlation_kernel_gradient in=3x8x8x16 out_channels=32 kernel_size=1x1 epilogue=none",
                "pointwise_kernel_gradient,positions:12,parts:4"},
          Found{"cross_correlation_kernel_gradient in=2x8x8x32 out_channels=8 kernel_size=1x1 epilogue=none",
                "pointwise_kernel_gradient,positions:12,parts:2"},
          Found{"cross_correlation_kernel_gradient in=1x28x28x64 out_channels=128 kernel_size=3x3 stride=2x2 "
                "padding=1x1 epilogue=none",
                "kernel_gradient,vectors:2,channels:4,rows:2,images:0"},
          Found{
              "cross_correlation_kernel_gradient in=1x8x16x64 out_channels=128 kernel_size=7x7 padding=same "
              "padding_mode=reflect epilogue=none",
              "kernel_gradient,vectors:2,channels:4,rows:4,images:0"},
          Found{"pooled_cross_correlation in=1x8x8x33 out_channels=8 kernel_size=4x4 dilation=1x3 "
                "padding=same padding_mode=reflect pool_kernel_size=3x3 pool_stride=2x1 pool_padding=same",
                "pooled,vectors:1,positions:1,chunk:1,unroll:1,strip:1,rows:1"},
          Found{"pooled_cross_correlation in=1x7x7x17 out_channels=64 kernel_size=5x5 stride=3x2 padding=1x1 "
                "epilogue=none pool_kernel_size=2x2",
                "pooled,vectors:1,positions:1,chunk:17,unroll:1,strip:1,rows:1"},
          Found{"pooled_cross_correlation in=1x3x1x16 out_channels=32 kernel_size=1x1 epilogue=none "
                "pool_kernel_size=2x1 pool_padding=same",
                "pooled,vectors:1,positions:1,chunk:16,unroll:1,strip:3,rows:1"}}) {
        const ParsedProblem parsed = parse_problem(problem);
        REQUIRE(parsed.error.view() == "");
        for (const TargetFacts* target : runnable_targets())
            check({parsed.problem, target, std::string(schedule)});
    }
}

// The last part is shorter, or has fewer strips; or the output's channels do not fill their last vector; or a
// window is one position.
TEST_CASE("Parts of the rows add up to the reference's gradients of kernels", "[operators]") {
    for (const auto& [problem, schedule] :
         std::initializer_list<std::pair<std::string_view, std::string_view>>{
             {"cross_correlation_kernel_gradient in=1x11x9x3 out_channels=17 kernel_size=3x3 padding=same "
              "epilogue=none",
              "kernel_gradient,vectors:1,channels:3,rows:3,images:0,parts:4"},
             {"cross_correlation_kernel_gradient in=2x13x8x16 out_channels=32 kernel_size=3x5 stride=2 "
              "padding=1x2 "
              "padding_mode=replicate epilogue=bias,relu",
              "kernel_gradient,vectors:1,channels:4,rows:1,images:1,parts:4"},
             {"convolution_kernel_gradient in=3x10x6x12 out_channels=32 kernel_size=2x2 groups=2 "
              "epilogue=none",
              "kernel_gradient,vectors:1,channels:2,rows:5,images:0,parts:2"},
             {"transposed_convolution_kernel_gradient in=2x7x5x8 out_channels=16 kernel_size=3x3 stride=2 "
              "padding=1 epilogue=none",
              "kernel_gradient,vectors:1,channels:4,rows:3,images:0,parts:2"},
             {"cross_correlation_kernel_gradient in=2x12x5x20 out_channels=24 kernel_size=1x1 epilogue=none",
              "kernel_gradient,vectors:1,channels:5,rows:2,images:0,parts:4"},
             {"cross_correlation_kernel_gradient in=1x9x7x32 out_channels=32 kernel_size=3x3 padding=same "
              "groups=32 "
              "epilogue=none",
              "depthwise_kernel_gradient,vectors:1,taps:3,columns:2,rows:2,runs:1,parts:4"},
             {"convolution_kernel_gradient in=2x14x12x16 out_channels=16 kernel_size=5x3 stride=2 "
              "padding=2,1,1,0 "
              "groups=16 epilogue=none",
              "depthwise_kernel_gradient,vectors:1,taps:1,columns:1,rows:1,runs:2,parts:4"},
             {"transposed_convolution_kernel_gradient in=1x6x7x16 out_channels=16 kernel_size=3x3 stride=2 "
              "padding=1 groups=16 epilogue=none",
              "depthwise_kernel_gradient,vectors:1,taps:3,columns:1,rows:2,runs:1,parts:2"}}) {
        const ParsedProblem parsed = parse_problem(problem);
        REQUIRE(parsed.error.view() == "");
        for (const TargetFacts* target : runnable_targets())
            check({parsed.problem, target, std::string(schedule)});
    }
}

TEST_CASE("Tiles of whole rows that leave out padding give the reference's results", "[operators]") {
    for (const auto& [problem, positions] : std::initializer_list<std::pair<std::string_view, int>>{
             {"cross_correlation in=2x14x14x8 out_channels=16 kernel_size=3x3 stride=2 padding=1", 7},
             {"cross_correlation in=1x7x7x8 out_channels=16 kernel_size=3x3 padding=same epilogue=bias,relu",
              7},
             {"convolution in=1x9x4x3 out_channels=32 kernel_size=5x7 padding=4,1,5,2", 12},
             {"cross_correlation in=1x8x5x12 out_channels=24 kernel_size=3x3 padding=2 dilation=2", 10},
             {"cross_correlation in=1x6x1x8 out_channels=8 kernel_size=3x5 padding=1x2", 3},
             {"convolution_input_gradient in=2x7x7x16 out_channels=8 kernel_size=3x3 padding=same", 7},
             {"cross_correlation in=1x6x6x8 out_channels=16 kernel_size=2x2 padding=1,0,0,1 layout=nchw",
              6}}) {
        const ParsedProblem parsed = parse_problem(problem);
        REQUIRE(parsed.error.view() == "");
        for (const TargetFacts* target : runnable_targets())
            check({parsed.problem, target, fmt::format("direct,vectors:1,positions:{},skip:1", positions)});
    }
}

TEST_CASE(
    "Random problems give the reference's results by default and at the corners of every family's knobs",
    "[random][slow]") {
    const std::vector<const TargetFacts*> targets = runnable_targets();
    for (int number = 0; number < problem_count(); ++number) {
        Sample sample = random_sample(number, targets);
        for (const std::string& schedule : sample.schedules) {
            sample.kernel_case.schedule = schedule;
            check(sample.kernel_case);
        }
    }
}

TEST_CASE("The generic family computes what another family is the default of", "[random][slow]") {
    const std::vector<const TargetFacts*> targets = runnable_targets();
    int checked = 0;
    // Some operators have no other family at all.
    for (int number = 0; checked < problem_count() / 4 && number < 2 * problem_count(); ++number) {
        KernelCase kernel_case = random_sample(number, targets).kernel_case;
        kernel_case.schedule = generic_family.name;
        const Situation situation{kernel_case.problem, kernel_case.target};
        if (choose_schedule(situation, "", "").family == &generic_family)
            continue;
        check(kernel_case);
        ++checked;
    }
}

TEST_CASE("Every CPU target that this machine can run is among those tested", "[targets]") {
    CHECK(!runnable_targets().empty());
    for (const TargetFacts& target : target_table())
        if (!target.is_gpu && !can_run_here(target))
            WARN("skipped: this machine cannot run " << target.name);
}

TEST_CASE("Every operator runs on every target that this machine can run", "[operators]") {
    Random random(1);
    const std::string only = environment("LAMINA_TEST_OPERATOR");
    for (const OperatorFacts& row : operator_table)
        for (const TargetFacts* target :
             only.empty() || only == row.name ? runnable_targets() : std::vector<const TargetFacts*>{})
            check({random_problem(random, row.op), target, ""});
}

TEST_CASE("What may be computed in place gives the same bits there", "[operators]") {
    const std::string only = environment("LAMINA_TEST_OPERATOR");
    std::set<Operator> tested;
    // Less than a vector, no multiple of one, one task and several of them.
    for (const char* text :
         {"sgd in=1x1x1x1",
          "sgd in=1x1x1x7",
          "sgd in=1x1x1x4099",
          "sgd in=1x1x1x200003",
          "adam in=1x1x1x5",
          "adam in=1x1x1x37",
          "adam in=1x1x1x100003",
          "add in=1x3x5x7",
          "add in=?x3x5x7 layout=nchw",
          "add in=3x57x61x13",
          "mean_squared_error_input_gradient in=2x41x43x19",
          "mean_squared_error_input_gradient in=?x3x5x13 layout=nchw",
          "mean_squared_error_input_gradient in=3x1x1x21",
          "cross_correlation in=2x13x11x16 out_channels=24 kernel_size=1 epilogue=bias,residual,relu",
          "cross_correlation in=?x13x11x16 out_channels=21 kernel_size=3 padding=1 epilogue=residual",
          "cross_correlation in=1x13x11x16 out_channels=3 kernel_size=3 epilogue=residual,relu",
          "cross_correlation in=2x14x14x32 out_channels=32 kernel_size=3 groups=32 epilogue=residual",
          "cross_correlation in=1x13x11x19 out_channels=19 kernel_size=3 groups=19 epilogue=residual",
          "convolution in=1x13x11x16 out_channels=16 kernel_size=3 layout=nchw epilogue=bias,residual",
          "transposed_convolution in=2x7x5x16 out_channels=16 kernel_size=3 stride=2 epilogue=residual,relu",
          "dense in=5x1x1x64 out_channels=27 epilogue=residual",
          "separable_convolution in=2x13x11x16 out_channels=24 kernel_size=3 padding=1 epilogue=residual"}) {
        const Problem problem = parse_problem(text).problem;
        tested.insert(problem.op);
        for (const TargetFacts* target : only.empty() || only == facts(problem.op).name
                                             ? runnable_targets()
                                             : std::vector<const TargetFacts*>{})
            for (const char* schedule : {"", "generic"})
                check({problem, target, schedule});
    }
    Random random(2);
    for (const OperatorFacts& row : operator_table) {
        bool may_be = false;
        for (int i = 0; i < 100; ++i)
            may_be = may_be || may_be_in_place(random_problem(random, row.op));
        INFO(row.name);
        CHECK(may_be == tested.contains(row.op));
    }
}
