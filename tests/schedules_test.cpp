#include "generators/compile.hpp"
#include "schedules/choice.hpp"
#include "tests/support/kernel_check.hpp"
#include "tests/support/random_problems.hpp"
#include "tests/support/situation.hpp"
#include "tests/support/test_folder.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <algorithm>

using namespace lamina;
using namespace lamina::testing;

namespace {

// Calls `check(family, situation, random)` for random problems, every target, and every family that fits
// there.
template <class Check>
void for_fitting_families(int problems, Check check) {
    Random random(5);
    for (int i = 0; i < problems; ++i) {
        const Problem problem = random_problem(random);
        for (const TargetFacts& target : target_table())
            for (const Family* family : family_table()) {
                const Situation situation{problem, &target};
                if (!why_unfit(*family, situation).empty())
                    continue;
                INFO(to_text(problem).view() << " on " << target.name << " with " << family->name);
                check(*family, situation, random);
            }
    }
}

constexpr std::string_view plain =
    "cross_correlation in=1x14x14x32 out_channels=32 kernel_size=3 padding=same";

} // namespace

TEST_CASE("A schedule's text gives back the family and its knobs", "[schedules]") {
    for (const std::string text : {"generic", "direct,vectors:2,positions:14", "pool,strip:1"}) {
        const ScheduleText schedule = parse_schedule(text);
        CHECK(schedule.error == "");
        CHECK(to_text(schedule.family, schedule.knobs) == text);
    }
    for_fitting_families(40, [](const Family& family, const Situation& situation, Random&) {
        const Knobs knobs = family.defaults(situation, {});
        const ScheduleText schedule = parse_schedule(to_text(family.name, knobs));
        CHECK(schedule.family == family.name);
        CHECK(schedule.knobs == knobs);
    });
}

TEST_CASE("A malformed schedule is an error that shows the word", "[schedules]") {
    for (const std::string word :
         {"vectors", "vectors:", "vectors:x", "vectors:-1", ":2", "vectors:9999999999"}) {
        INFO(word);
        CHECK_THAT(parse_schedule("direct," + word).error,
                   Catch::Contains("'" + word + "'") && Catch::Contains("knob:number"));
    }
    CHECK_THAT(parse_schedule("direct,vectors:1,vectors:2").error,
               Catch::Contains("'vectors' is given twice"));
}

TEST_CASE("Every family's default is legal wherever the family fits", "[schedules]") {
    for_fitting_families(300, [](const Family& family, const Situation& situation, Random&) {
        CHECK(why_illegal(family, situation, family.defaults(situation, {})) == "");
    });
}

TEST_CASE("Every family's default sets every knob, to a value worth trying", "[schedules]") {
    for_fitting_families(100, [](const Family& family, const Situation& situation, Random&) {
        const Knobs defaults = family.defaults(situation, {});
        CHECK(defaults.values().size() == family.knobs.size());
        for (const Knob& knob : family.knobs) {
            const std::vector<int> values = knob.values(situation);
            INFO(knob.name << ":" << defaults.get(knob.name));
            CHECK(std::is_sorted(values.begin(), values.end()));
            CHECK(std::count(values.begin(), values.end(), defaults.get(knob.name)) == 1);
        }
    });
}

TEST_CASE("Some family fits every problem on every CPU target", "[schedules]") {
    Random random(6);
    for (int i = 0; i < 100; ++i)
        for (const TargetFacts& target : target_table()) {
            const Problem problem = random_problem(random);
            const Choice choice = choose_schedule({problem, &target}, "", "");
            INFO(to_text(problem).view() << " on " << target.name);
            if (!target.is_gpu)
                CHECK(choice.error == "");
            CHECK((choice.family != nullptr) == choice.error.empty());
        }
}

TEST_CASE("An illegal knob in a schedule's text is refused, whatever the others", "[schedules]") {
    for_fitting_families(40, [](const Family& family, const Situation& situation, Random&) {
        for (const Knob& knob : family.knobs)
            for (const int value : {1'000'003, 999'999'999}) {
                const std::string word = fmt::format("{}:{}", knob.name, value);
                CHECK_THAT(choose_schedule(situation, fmt::format("{},{}", family.name, word), "").error,
                           Catch::Contains(word));
            }
    });
    const Situation situation{
        parse_problem("cross_correlation in=1x14x14x32 out_channels=32 kernel_size=3x3 padding=same").problem,
        find_target("x86-64-linux-avx2")};
    for (const std::string word : {"vectors:0", "positions:0", "strip:0", "chunk:0", "unroll:0"}) {
        CHECK_THAT(choose_schedule(situation, "direct," + word, "").error, Catch::Contains(word));
        CHECK_THAT(choose_schedule(situation, "direct,positions:3," + word, "").error,
                   Catch::Contains(word) || Catch::Contains("twice"));
    }
}

TEST_CASE("An illegal knob gives a reason that names family, knob and value", "[schedules]") {
    for_fitting_families(40, [](const Family& family, const Situation& situation, Random&) {
        for (const Knob& knob : family.knobs)
            for (const int value : {-1, 1'000'003}) {
                Knobs knobs = family.defaults(situation, {});
                knobs.set(knob.name, value);
                CHECK_THAT(why_illegal(family, situation, knobs),
                           Catch::StartsWith(std::string(family.name)) &&
                               Catch::Contains(fmt::format("{}:{}", knob.name, value)));
            }
    });
}

TEST_CASE("Tiles leave out rows of padding where zeros lie above or below, by default in no long strips",
          "[schedules]") {
    const auto chosen = [](const char* text, const char* schedule) {
        return choose_schedule(situation_of(text, "x86-64-linux-avx2"), schedule, "");
    };
    const char* const small = "cross_correlation in=1x7x7x64 out_channels=64 kernel_size=3x3 padding=same";
    CHECK(chosen(small, "direct").knobs.get("skip") == 1);
    CHECK(chosen(small, "direct,strip:1").knobs.get("skip") == 1);
    const char* const large = "cross_correlation in=1x224x224x3 out_channels=64 kernel_size=3x3 padding=same";
    CHECK(chosen(large, "direct,strip:8").knobs.get("skip") == 0);
    CHECK(chosen(large, "direct,strip:224").knobs.get("skip") == 1);
    CHECK(chosen(large, "direct,strip:8,skip:1").error.empty());
    for (const char* other :
         {"cross_correlation in=1x7x7x64 out_channels=64 kernel_size=3x3",
          "cross_correlation in=1x7x7x64 out_channels=64 kernel_size=3x3 padding=0x1",
          "cross_correlation in=1x7x7x64 out_channels=64 kernel_size=3x3 padding=1x1 padding_mode=reflect",
          "transposed_convolution in=1x7x7x64 out_channels=64 kernel_size=3x3 padding=1x1"}) {
        INFO(other);
        CHECK(chosen(other, "").knobs.get("skip") == 0);
        CHECK_THAT(chosen(other, "direct,skip:1").error, Catch::Contains("skip:1: no zeros"));
    }
}

TEST_CASE("Tiles divide a row where no element may be computed twice", "[schedules]") {
    const auto refusal = [](const std::string& problem, const char* epilogue, const char* schedule) {
        return choose_schedule(situation_of(problem + epilogue, "x86-64-linux-avx2"), schedule, "").error;
    };
    const std::string few = "cross_correlation in=1x13x11x16 out_channels=3 kernel_size=3",
                      depthwise = "cross_correlation in=1x14x14x32 out_channels=32 kernel_size=3 groups=32";
    CHECK(refusal(few, " epilogue=bias", "dot,positions:2") == "");
    CHECK(refusal(few, " epilogue=residual", "dot,positions:3") == "");
    CHECK_THAT(refusal(few, " epilogue=residual", "dot,positions:2"),
               Catch::Contains("positions:2: must divide the output's 9 columns"));
    CHECK(refusal(depthwise, " epilogue=bias", "depthwise,columns:5") == "");
    CHECK(refusal(depthwise, " epilogue=residual", "depthwise,columns:6") == "");
    CHECK_THAT(refusal(depthwise, " epilogue=residual", "depthwise,columns:5"),
               Catch::Contains("columns:5: must divide the output's 12 columns"));
    CHECK(refusal(depthwise, " epilogue=residual,relu preactivation=yes", "depthwise,columns:5") == "");
}

TEST_CASE("Dot products say which tiles, strips and channels they have no place for", "[schedules]") {
    const auto refusal = [](std::string_view problem, std::string_view knobs) {
        return choose_schedule(situation_of(problem, "x86-64-linux-avx2"), fmt::format("dot{}", knobs), "")
            .error;
    };
    const char* few = "cross_correlation in=1x224x224x64 out_channels=3 kernel_size=3x3 padding=same";
    CHECK(refusal(few, "") == "");
    CHECK(refusal(few, ",vectors:2,positions:2,stored:1,strip:8") == "");
    CHECK_THAT(refusal(few, ",positions:5"), Catch::Contains("positions:5: 3 channels x 5 positions"));
    CHECK_THAT(refusal(few, ",positions:2,vectors:4"), Catch::Contains("positions:2: 3 channels"));
    CHECK_THAT(refusal(few, ",vectors:3"), Catch::Contains("vectors:3: must be a power of two"));
    CHECK_THAT(refusal(few, ",vectors:2,positions:1,unroll:8"), Catch::Contains("unroll:8"));
    const std::string reflected = std::string(few) + " padding_mode=reflect";
    CHECK_THAT(refusal(reflected, ",stored:0"), Catch::Contains("stored:0"));
    CHECK_THAT(refusal(few, ",stored:2"), Catch::Contains("stored:2: must be 0 or 1, and 1 where"));
    CHECK_THAT(refusal("cross_correlation in=1x56x56x6 out_channels=3 kernel_size=3x3", ""),
               Catch::Contains("6 summed channels are no multiple of 4"));
    CHECK_THAT(refusal("cross_correlation in=1x56x56x64 out_channels=15 kernel_size=3x3", ""),
               Catch::Contains("15 channels to compute"));
    CHECK_THAT(refusal("transposed_convolution in=1x56x56x64 out_channels=3 kernel_size=3x3 stride=2x2 "
                       "layout=nchw",
                       ""),
               Catch::Contains("only nhwc"));
    const char* wide = "cross_correlation in=1x64x64x64 out_channels=1 kernel_size=64x64 padding=63x63 "
                       "padding_mode=replicate";
    CHECK_THAT(refusal(wide, ",strip:127"), Catch::Contains("strip:127: its padded input takes"));
}

TEST_CASE("Gradients of kernels say which parts of the rows they have no place for", "[schedules]") {
    const auto refusal = [](std::string_view keys, const std::string& schedule) {
        return choose_schedule(situation_of(fmt::format("cross_correlation_kernel_gradient {}", keys),
                                            "x86-64-linux-avx2"),
                               schedule, "")
            .error;
    };
    const char *depthwise = "in=1x14x14x16 out_channels=16 kernel_size=3x3 padding=same groups=16",
               *whole = "in=1x14x14x16 out_channels=16 kernel_size=3x3 padding=same",
               *large = "in=1x14x14x256 out_channels=256 kernel_size=3x3 padding=same";
    for (const auto& [keys, family] :
         {std::pair{depthwise, "depthwise_kernel_gradient"}, std::pair{whole, "kernel_gradient"}}) {
        const auto of = [&](std::string_view knobs) {
            return refusal(keys, fmt::format("{},{}", family, knobs));
        };
        CHECK(of("rows:7,parts:1") == "");
        CHECK(of("rows:7,parts:2") == "");
        CHECK(of("rows:5,parts:2") == ""); // 5, 5 and 4
        CHECK_THAT(of("rows:5,parts:1"), Catch::Contains("rows:5: must divide the 14 rows"));
        CHECK_THAT(of("rows:6,parts:2"), Catch::Contains("rows:6") && Catch::Contains("as few strips"));
        CHECK_THAT(of("rows:7,parts:3"), Catch::Contains("parts:3: must be a power of two"));
        CHECK_THAT(of("rows:7,parts:4"), Catch::Contains("parts:4") && Catch::Contains("rows:7"));
    }
    CHECK_THAT(refusal(large, "kernel_gradient,rows:7,parts:2"),
               Catch::Contains("parts:2") && Catch::Contains("4608 KiB of scratch"));
}

TEST_CASE("Gradients of 1x1 kernels say which tiles, strips and parts they have no place for",
          "[schedules]") {
    const auto refusal = [](std::string_view problem, std::string_view knobs) {
        return choose_schedule(situation_of(problem, "x86-64-linux-avx2"),
                               fmt::format("pointwise_kernel_gradient{}", knobs), "")
            .error;
    };
    const char* wide = "cross_correlation_kernel_gradient in=1x28x28x256 out_channels=256 kernel_size=1x1";
    CHECK(refusal(wide, "") == "");
    CHECK(refusal(wide, ",vectors:2,channels:4,positions:49,parts:4,ahead:1") == "");
    CHECK_THAT(refusal(wide, ",vectors:4,channels:4"),
               Catch::Contains("channels:4") && Catch::Contains("registers"));
    CHECK_THAT(refusal(wide, ",positions:785"), Catch::Contains("positions:785: must be 1 to 784"));
    CHECK_THAT(refusal(wide, ",parts:3"), Catch::Contains("parts:3: must be a power of two"));
    CHECK_THAT(refusal(wide, ",parts:16"), Catch::Contains("parts:16") && Catch::Contains("scratch"));
    CHECK_THAT(refusal(wide, ",ahead:2"), Catch::Contains("ahead:2"));
    CHECK_THAT(
        refusal("cross_correlation_kernel_gradient in=1x28x28x256 out_channels=256 kernel_size=3x3", ""),
        Catch::Contains("kernel_size=3x3"));
    const char* along_inputs =
        "cross_correlation_kernel_gradient in=1x28x28x96 out_channels=17 kernel_size=1x1";
    CHECK_THAT(refusal(along_inputs, ",vectors:5"), Catch::Contains("divide the 96 input channels"));
    CHECK_THAT(refusal("cross_correlation_kernel_gradient in=1x28x28x3 out_channels=17 kernel_size=1x1", ""),
               Catch::Contains("3 input and 17 output channels"));
}

TEST_CASE("A family that does not fit says why", "[schedules]") {
    Random random(8);
    for (int i = 0; i < 100; ++i) {
        const Problem problem = random_problem(random);
        for (const TargetFacts& target : target_table())
            for (const Family* family : family_table()) {
                const std::string reason = why_unfit(*family, {problem, &target});
                const Choice choice = choose_schedule({problem, &target}, std::string(family->name), "");
                INFO(to_text(problem).view() << " on " << target.name << " with " << family->name);
                CHECK(choice.error.empty() == reason.empty());
                if (!reason.empty())
                    CHECK_THAT(choice.error,
                               Catch::StartsWith(std::string(family->name)) && Catch::Contains(reason));
            }
    }
}

TEST_CASE("Unknown families, knobs and targets are named, with those that are known", "[schedules]") {
    const Situation situation = situation_of(plain, "x86-64-linux-avx2");
    const std::string family = choose_schedule(situation, "sideways", "").error;
    for (const Family* row : family_table())
        CHECK_THAT(family, Catch::Contains("'sideways'") && Catch::Contains(std::string(row->name)));
    const std::string knob = choose_schedule(situation, "direct,colour:3", "").error;
    for (const Knob& row : direct_family.knobs)
        CHECK_THAT(knob, Catch::Contains("'colour'") && Catch::Contains(std::string(row.name)));
    const std::string target = order_targets({"x86-64-linux", "z80"}).error;
    for (const TargetFacts& row : target_table())
        CHECK_THAT(target, Catch::Contains("'z80'") && Catch::Contains(std::string(row.name)));
}

TEST_CASE("What is no family, or has a name that is taken, is refused with the reason", "[schedules]") {
    const auto refusal = [](void (*spoil)(Family&)) {
        Family family = pool_family;
        family.name = "own_pool";
        spoil(family);
        const std::size_t before = family_table().size();
        const std::string reason = add_family(family);
        CHECK(family_table().size() == before);
        return reason;
    };
    CHECK_THAT(refusal([](Family& f) { f.name = "direct"; }),
               Catch::Contains("'direct'") && Catch::Contains("already"));
    for (void (*spoil)(Family&) : {+[](Family& f) { f.name = ""; }, +[](Family& f) { f.name = "a:b"; },
                                   +[](Family& f) { f.knobs[0].name = "two words"; }})
        CHECK_THAT(refusal(spoil), Catch::Contains("must be a C identifier"));
    CHECK_THAT(refusal([](Family& f) { f.apply = nullptr; }), Catch::Contains("no function `apply`"));
    CHECK_THAT(refusal([](Family& f) { f.fits = nullptr; }), Catch::Contains("no function `fits`"));
    CHECK_THAT(refusal([](Family& f) { f.knobs[1].values = nullptr; }), Catch::Contains("knob strip"));
    CHECK_THAT(refusal([](Family& f) { f.knobs[1] = f.knobs[0]; }), Catch::Contains("two of that name"));
}

TEST_CASE("Targets are ordered from the most demanding to the least, each once", "[schedules]") {
    const OrderedTargets ordered =
        order_targets({"x86-64-linux", "x86-64-linux-avx512", "x86-64-linux", "x86-64-linux-avx2"});
    CHECK(ordered.error == "");
    std::vector<std::string_view> names;
    for (const TargetFacts* target : ordered.targets)
        names.push_back(target->name);
    CHECK(names == std::vector<std::string_view>{"x86-64-linux-avx512", "x86-64-linux-avx2", "x86-64-linux"});
    CHECK_THAT(order_targets({"x86-64-linux", "arm-64-linux"}).error,
               Catch::Contains("x86-64-linux") && Catch::Contains("arm-64-linux"));
    CHECK(!order_targets({}).error.empty());
}

TEST_CASE("Compiling an illegal schedule is an error that says which, and leaves no objects", "[schedules]") {
    const Situation situation = situation_of(plain, "x86-64-linux-avx2");
    const CompiledKernel kernel = compile_kernel({"kernel", situation.problem, "direct,vectors:77"},
                                                 {{situation.target}, "", "/nonexistent"});
    CHECK_THAT(kernel.error, Catch::StartsWith(std::string(to_text(situation.problem).view())) &&
                                 Catch::Contains("x86-64-linux-avx2") && Catch::Contains("vectors:77"));
    CHECK(kernel.call.objects.empty());
}

TEST_CASE("Fitting families compile on targets that this machine need not be able to run",
          "[schedules][slow]") {
    Random random(9);
    const TestFolder folder;
    for (const TargetFacts& target : target_table())
        for (const Family* family : default_families())
            for (int compiled = 0, drawn = 0; compiled < 6 && drawn < 1000; ++drawn) {
                const Situation situation{random_problem(random), &target};
                if (!why_unfit(*family, situation).empty())
                    continue;
                const std::string schedule = corner_schedule(*family, situation, random);
                INFO(to_text(situation.problem).view() << " with " << schedule << " on " << target.name);
                CHECK(compile_kernel({"kernel", situation.problem, schedule}, {{&target}, "", folder.path()})
                          .error == "");
                ++compiled;
            }
}
