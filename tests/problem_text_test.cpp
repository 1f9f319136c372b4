// The text form of problems: what it reads, what it prints, what it refuses and with which words.
#include "lamina/problem_text.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <sstream>
#include <string>
#include <vector>

using namespace lamina;

namespace {

constexpr Problem example = [] {
    Problem p = default_problem(Operator::cross_correlation);
    p.in = {1, 56, 56, 64};
    p.out_channels = 64;
    p.kernel_size = 3;
    p.padding = same;
    p.epilogue.add(Step::relu);
    return p;
}();
constexpr std::string_view example_text =
    "cross_correlation in=1x56x56x64 out_channels=64 kernel_size=3x3 padding=same epilogue=bias,relu";

static_assert(to_text(example) == Text(example_text));
static_assert(parse_problem(example_text).ok() && parse_problem(example_text).problem == example);

// A text and its canonical form.
struct Canonical {
    std::string_view given, printed;
};
constexpr Canonical canonical_forms[] = {
    {"softmax in=?x1x1x10", "softmax in=?x1x1x10"},
    {"  softmax \t in=2x1x1x10\r\n", "softmax in=2x1x1x10"},
    {"max_pool stride=2 kernel_size=2 in=1x4x4x1", "max_pool in=1x4x4x1 kernel_size=2x2 stride=2x2"},
    {"max_pool in=1x4x4x1 kernel_size=2x2 stride=1x1 dilation=1 padding=valid layout=nhwc type=f32 ceil=no "
     "indices=no",
     "max_pool in=1x4x4x1 kernel_size=2x2"},
    {"average_pool in=1x9x9x1 kernel_size=3 padding=1,1,0,0 count_padding=yes ceil=yes",
     "average_pool in=1x9x9x1 kernel_size=3x3 padding=1x0 count_padding=yes ceil=yes"},
    {"lp_pool in=1x9x9x1 kernel_size=3 power=2.50", "lp_pool in=1x9x9x1 kernel_size=3x3 power=2.5"},
    {"lp_pool in=1x9x9x1 kernel_size=3 power=0.000001", "lp_pool in=1x9x9x1 kernel_size=3x3 power=0.000001"},
    {"lp_pool in=1x9x9x1 kernel_size=3 power=2.000000", "lp_pool in=1x9x9x1 kernel_size=3x3"},
    {"dense in=8x1x1x128 out_channels=10 epilogue=none", "dense in=8x1x1x128 out_channels=10 epilogue=none"},
    {"dense in=8x1x1x128 out_channels=10 epilogue=bias", "dense in=8x1x1x128 out_channels=10"},
    {"dense in=1x1x1x8 out_channels=2 epilogue=leaky_relu:0.2,bias",
     "dense in=1x1x1x8 out_channels=2 epilogue=leaky_relu:0.2,bias"},
    {"separable_convolution in=1x4x4x8 out_channels=2 kernel_size=3 depthwise_epilogue=bias epilogue=bias",
     "separable_convolution in=1x4x4x8 out_channels=2 kernel_size=3x3"},
    {"separable_convolution in=1x4x4x8 out_channels=2 kernel_size=3 depthwise_epilogue=leaky_relu:0.2",
     "separable_convolution in=1x4x4x8 out_channels=2 kernel_size=3x3 depthwise_epilogue=leaky_relu:0.2"},
    {"pooled_cross_correlation in=1x9x9x3 out_channels=2 kernel_size=2 pool_kernel_size=2 pool_stride=2 "
     "pool_padding=1,1,0,0 epilogue=bias,relu",
     "pooled_cross_correlation in=1x9x9x3 out_channels=2 kernel_size=2x2 epilogue=bias,relu "
     "pool_kernel_size=2x2 pool_stride=2x2 pool_padding=1x0"},
    {"pooled_cross_correlation in=1x9x9x3 out_channels=2 kernel_size=2 pool_kernel_size=3 pool_stride=1 "
     "pool_padding=same",
     "pooled_cross_correlation in=1x9x9x3 out_channels=2 kernel_size=2x2 pool_kernel_size=3x3 "
     "pool_padding=same"},
    {"dense in=1x1x1x8 out_channels=2 epilogue=residual,leaky_relu:0.01",
     "dense in=1x1x1x8 out_channels=2 epilogue=residual,leaky_relu"},
    {"convolution in=1x8x8x4 out_channels=4 kernel_size=3x1 padding=1,2,0,0 padding_mode=reflect groups=4 "
     "layout=nchw algorithm=exact",
     "convolution in=1x8x8x4 out_channels=4 kernel_size=3x1 padding=1,2,0,0 padding_mode=reflect groups=4 "
     "layout=nchw algorithm=exact"},
    {"transposed_convolution in=1x8x8x4 out_channels=2 kernel_size=3 stride=2 output_padding=1 dilation=1x2",
     "transposed_convolution in=1x8x8x4 out_channels=2 kernel_size=3x3 stride=2x2 dilation=1x2 "
     "output_padding=1x1"},
};

constexpr bool prints_canonically(const Canonical& form) {
    const ParsedProblem parsed = parse_problem(form.given);
    return parsed.ok() && to_text(parsed.problem).view() == form.printed;
}
static_assert(std::all_of(std::begin(canonical_forms), std::end(canonical_forms), prints_canonically));

// A text that is refused, and the words with which its error begins.
struct Refused {
    std::string_view given, reason;
};
constexpr Refused refused_texts[] = {
    {"", "unknown operator ''; known are cross_correlation, convolution,"},
    {"maxpool in=1x4x4x1", "unknown operator 'maxpool'"},
    {"max_pool", "in: missing; max_pool needs in=NxHxWxC"},
    {"max_pool in=1x4x4x1", "kernel_size: missing"},
    {"dense in=1x1x1x8", "out_channels: missing"},
    {"max_pool in=1x4x4x1 kernel_size=2 groups=2", "unknown key 'groups'; max_pool has in, kernel_size,"},
    {"max_pool in=1x4x4x1 kernel_size=2 in=1x4x4x1", "in: given twice"},
    {"max_pool in=1x4x4x1 kernel_size", "'kernel_size' is not of the form key=value"},
    {"max_pool in=1x4x4x1 =2", "unknown key ''"},
    {"max_pool in=1x4x4 kernel_size=2", "in='1x4x4': expected NxHxWxC"},
    {"max_pool in=0x4x4x1 kernel_size=2", "in='0x4x4x1': expected NxHxWxC"},
    {"max_pool in=1x-4x4x1 kernel_size=2", "in='1x-4x4x1': expected"},
    {"max_pool in=1x4x4x1 kernel_size=2x", "kernel_size='2x': expected HxW"},
    {"max_pool in=1x4x4x1 kernel_size=2x2x2", "kernel_size='2x2x2': expected HxW"},
    {"max_pool in=1x4x4x1 kernel_size=2=2", "kernel_size='2=2': expected HxW"},
    {"max_pool in=1x4x4x1 kernel_size=0x2", "kernel_size=0x2: kernel size must be positive"},
    {"max_pool in=1x4x4x1 kernel_size=2 stride=0", "stride=0x0: stride must be positive"},
    {"max_pool in=1x4x4x1 kernel_size=2 padding=1,1,1", "padding='1,1,1': expected same|valid|P|"},
    {"max_pool in=1x4x4x1 kernel_size=2 padding=Same", "padding='Same': expected"},
    {"max_pool in=1x4x4x1 kernel_size=2 padding=2", "padding=2x2 kernel_size=2x2: pool padding must be"},
    {"max_pool in=1x1x1x1 kernel_size=2 padding=1 dilation=2",
     "dilation=2x2 padding=1x1 in=1x1x1x1: dilated pool window could hold only padding"},
    {"max_pool in=1x4x4x1 kernel_size=5", "kernel_size=5x5 padding=0x0 dilation=1x1: kernel is larger"},
    {"max_pool in=1x4x4x1 kernel_size=2 ceil=1", "ceil='1': expected yes|no"},
    {"max_pool in=1x4x4x1 kernel_size=2 type=i32", "type='i32': expected f32"},
    {"lp_pool in=1x4x4x1 kernel_size=2 power=0", "power=0: power must be positive"},
    {"lp_pool in=1x4x4x1 kernel_size=2 power=1.0000001", "power='1.0000001': expected P"},
    {"lp_pool in=1x4x4x1 kernel_size=2 power=1.", "power='1.': expected P"},
    {"lp_pool in=1x4x4x1 kernel_size=2 power=nan", "power='nan': expected P"},
    {"dense in=1x1x1x8 out_channels=2 epilogue=relu,relu6", "epilogue='relu,relu6': expected none|STEP"},
    {"dense in=1x1x1x8 out_channels=2 epilogue=bias,bias", "epilogue='bias,bias': expected"},
    {"dense in=1x1x1x8 out_channels=2 epilogue=relu:0.1", "epilogue='relu:0.1': expected"},
    {"dense in=1x1x1x8 out_channels=2 epilogue=leaky_relu:-1", "epilogue='leaky_relu:-1': expected"},
    {"separable_convolution in=1x4x4x8 out_channels=2 kernel_size=3 depthwise_epilogue=bias,residual",
     "depthwise_epilogue=bias,residual: depthwise epilogue must not have a residual"},
    {"separable_convolution in=1x4x4x8 out_channels=2 kernel_size=3 groups=8",
     "unknown key 'groups'; separable_convolution has"},
    {"separable_convolution in=1x4x4x8 out_channels=2 kernel_size=3 preactivation=yes",
     "unknown key 'preactivation'; separable_convolution has"},
    {"pooled_cross_correlation in=1x4x4x8 out_channels=2 kernel_size=3",
     "pool_kernel_size: missing; pooled_cross_correlation needs pool_kernel_size=HxW"},
    {"pooled_cross_correlation in=1x4x4x8 out_channels=2 kernel_size=3 pool_kernel_size=3",
     "pool_kernel_size=3x3 pool_padding=0x0: kernel is larger than the padded input (in=2x2)"},
    {"pooled_cross_correlation in=1x4x4x8 out_channels=2 kernel_size=5 pool_kernel_size=3",
     "kernel_size=5x5 padding=0x0 dilation=1x1: kernel is larger than the padded input (in=4x4)"},
    {"pooled_cross_correlation in=1x4x4x8 out_channels=2 kernel_size=1 pool_kernel_size=2 pool_padding=2",
     "pool_padding=2x2 pool_kernel_size=2x2: pool padding must be smaller than the window"},
    {"pooled_cross_correlation in=1x4x4x8 out_channels=2 kernel_size=1 pool_kernel_size=2 pool_stride=0",
     "pool_stride=0x0: stride must be positive"},
    {"pooled_cross_correlation in=1x4x4x8 out_channels=2 kernel_size=1 pool_kernel_size=2 "
     "epilogue=bias,residual",
     "epilogue=bias,residual: epilogue before a pool must not have a residual"},
    {"dense in=1x1x1x8 out_channels=2 epilogue=", "epilogue='': expected"},
    {"sgd in=1x1x2x8", "in=1x1x2x8: weights to update are one row of values 1x1x1xN"},
    {"adam in=?x1x1x8", "in=?x1x1x8: weights to update are one row of values 1x1x1xN"},
    {"adam in=1x1x1x8 layout=nchw", "unknown key 'layout'; adam has in, type"},
    {"dense in=1x1x1x8 out_channels=0", "out_channels=0: out channels must be positive"},
    {"convolution in=1x4x4x3 out_channels=4 kernel_size=1 groups=2",
     "groups=2 in=1x4x4x3: groups must divide the input channels"},
    {"convolution in=1x4x4x4 out_channels=3 kernel_size=1 groups=2",
     "groups=2 out_channels=3: groups must divide the output channels"},
    {"convolution in=1x4x4x4 out_channels=3 kernel_size=9 padding=4 padding_mode=reflect",
     "padding=4x4 in=1x4x4x4 padding_mode=reflect: reflected padding must be smaller than the input"},
    {"convolution in=1x4x4x4 out_channels=3 kernel_size=9 padding=5 padding_mode=circular",
     "padding=5x5 in=1x4x4x4 padding_mode=circular: circular padding must not exceed the input"},
    {"transposed_convolution in=1x4x4x4 out_channels=3 kernel_size=2 padding=same",
     "padding=same: padding same is not defined"},
    {"transposed_convolution in=1x4x4x4 out_channels=3 kernel_size=2 stride=2 output_padding=2",
     "output_padding=2x2 stride=2x2 dilation=1x1: output padding must be smaller"},
    {"transposed_convolution in=1x1x1x4 out_channels=3 kernel_size=2 padding=1",
     "padding=1x1 kernel_size=2x2 stride=1x1: transposed output would be empty"},
};

constexpr bool is_refused(const Refused& refused) {
    const ParsedProblem parsed = parse_problem(refused.given);
    return !parsed.ok() && parsed.error.view().substr(0, refused.reason.size()) == refused.reason;
}
static_assert(std::all_of(std::begin(refused_texts), std::end(refused_texts), is_refused));

bool chance(std::mt19937& random, int in) {
    return random() % static_cast<unsigned>(in) == 0;
}
int number(std::mt19937& random, int low, int high) {
    return low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1));
}
Size size(std::mt19937& random, int low, int high) {
    return {number(random, low, high), number(random, low, high)};
}

Padding padding(std::mt19937& random) {
    if (chance(random, 3))
        return same;
    const auto side = [&] { return number(random, 0, 3); };
    return {side(), side(), side(), side()};
}

Epilogue epilogue(std::mt19937& random) {
    Epilogue steps;
    if (chance(random, 2))
        steps.add(Step::bias);
    if (chance(random, 2))
        steps.add(Step::residual);
    if (chance(random, 2))
        steps.add(static_cast<Step>(number(random, 2, 9)));
    if (steps.has(Step::leaky_relu))
        steps.leaky_slope = Decimal{number(random, 0, 3'000'000)};
    std::shuffle(steps.steps.begin(), steps.steps.begin() + steps.count, random);
    return steps;
}

// Every key at random, those that the operator lacks at their default.
Problem random_problem(std::mt19937& random) {
    Problem any;
    any.in = {number(random, 0, 2), number(random, 1, 20), number(random, 1, 20), number(random, 1, 8)};
    any.out_channels = number(random, 1, 8);
    any.kernel_size = size(random, 1, 5);
    any.stride = size(random, 1, 3);
    any.dilation = size(random, 1, 2);
    any.padding = padding(random);
    any.padding_mode = static_cast<PaddingMode>(number(random, 0, 3));
    any.output_padding = size(random, 0, 1);
    any.groups = number(random, 1, 3);
    any.layout = static_cast<Layout>(number(random, 0, 1));
    any.algorithm = static_cast<Algorithm>(number(random, 0, 1));
    any.epilogue = epilogue(random);
    any.count_padding = chance(random, 2);
    any.ceil = chance(random, 2);
    any.power = Decimal{number(random, 1, 5'000'000)};
    any.indices = chance(random, 2);

    Problem problem = default_problem(static_cast<Operator>(random() % std::size(operator_table)));
    for (const Key& key : key_table) {
        Text value;
        key.print(any, value);
        if (key.applies_to(problem.op))
            REQUIRE(key.parse(problem, value));
    }
    return problem;
}

std::string shuffled_keys(std::string_view text, std::mt19937& random) {
    std::istringstream words{std::string(text)};
    std::string op, word;
    words >> op;
    std::vector<std::string> keys;
    while (words >> word)
        keys.push_back(word);
    std::shuffle(keys.begin(), keys.end(), random);
    for (const std::string& key : keys)
        op += " " + key;
    return op;
}

} // namespace

TEST_CASE("Problems parse and print in their canonical form", "[problem]") {
    for (const Canonical& form : canonical_forms) {
        const ParsedProblem parsed = parse_problem(form.given);
        CAPTURE(form.given, parsed.error.view());
        REQUIRE(parsed.ok());
        CHECK(to_text(parsed.problem).view() == form.printed);
        CHECK(parse_problem(form.printed).problem == parsed.problem);
    }
}

TEST_CASE("What is wrong with a problem's text is named, the key first", "[problem]") {
    for (const Refused& refused : refused_texts) {
        const ParsedProblem parsed = parse_problem(refused.given);
        CAPTURE(refused.given, parsed.error.view());
        CHECK(parsed.error.view().substr(0, refused.reason.size()) == refused.reason);
    }
}

TEST_CASE("Random problems survive printing and parsing, their keys in any order", "[problem]") {
    const unsigned seed = Catch::rngSeed();
    CAPTURE(seed);
    std::mt19937 random(seed);
    int valid_ones = 0;
    for (int i = 0; i < 5000; ++i) {
        const Problem problem = random_problem(random);
        const Text text = to_text(problem);
        CAPTURE(text.view());
        const ParsedProblem parsed = parse_problem(shuffled_keys(text, random));
        REQUIRE(parsed.ok() == (broken_rule(problem) == Rule::none));
        valid_ones += parsed.ok();
        if (parsed.ok())
            REQUIRE(parsed.problem == problem);
    }
    CHECK(valid_ones > 1000);
}

TEST_CASE("Every key that an operator lacks makes its problem impossible", "[problem]") {
    Problem pool = parse_problem("global_max_pool in=1x4x4x1").problem;
    REQUIRE(broken_rule(pool) == Rule::none);
    pool.stride = 2;
    CHECK(broken_rule(pool) == Rule::key_does_not_apply_to_this_operator);
}

TEST_CASE("Any damage to a problem's text gives a reason or another valid problem", "[problem]") {
    const unsigned seed = Catch::rngSeed();
    CAPTURE(seed);
    std::mt19937 random(seed);
    for (int i = 0; i < 20000; ++i) {
        std::string text(canonical_forms[random() % std::size(canonical_forms)].given);
        for (int changes = number(random, 1, 4); changes > 0; --changes)
            text[random() % text.size()] =
                static_cast<char>(chance(random, 2) ? number(random, -128, 127) : number(random, '0', '9'));
        const ParsedProblem parsed = parse_problem(text);
        CAPTURE(text, parsed.error.view());
        for (char c : parsed.error.view())
            REQUIRE((c >= ' ' && c <= '~'));
        if (parsed.ok())
            REQUIRE(parse_problem(to_text(parsed.problem)).problem == parsed.problem);
    }
}

TEST_CASE("Very long text is refused with a short, readable reason", "[problem]") {
    const std::string million(1'000'000, '9');
    for (const std::string& text :
         {million, "softmax " + million, "softmax " + million + "=1", "softmax in=1x1x1x" + million,
          "softmax in=" + std::string(1'000'000, 'x'),
          "dense in=1x1x1x1 out_channels=1 epilogue=" + std::string(1'000'000, ',')}) {
        const ParsedProblem parsed = parse_problem(text);
        CHECK_FALSE(parsed.ok());
        CHECK(parsed.error.view().size() < Text::capacity);
    }
    CHECK(parse_problem("softmax in=1x1x1x1" + std::string(1'000'000, ' ')).ok());
}

TEST_CASE("Sizes beyond what kernels can index are refused", "[problem]") {
    for (std::string_view text : {
             "softmax in=1x1x1x2147483648",
             "softmax in=1x1x1x4294967297",
             "softmax in=1x999999999x1x1",
             "softmax in=999999999x1x1x3",
             "softmax in=1x50000x50000x1",
             "dense in=1x10000x10000x1 out_channels=100",
             "max_pool in=1x9x9x1 kernel_size=999999999 padding=999999999",
             "max_pool in=1x9x9x1 kernel_size=3 dilation=536870912",
             "max_pool in=1x9x9x1 kernel_size=1 stride=999999999",
             "cross_correlation in=1x9x9x1 out_channels=1 kernel_size=1 padding=536870912",
             "cross_correlation in=1x9x9x1 out_channels=999999999 kernel_size=3",
             "transposed_convolution in=1x40000x40000x1 out_channels=1 kernel_size=2 stride=2",
             "transposed_convolution in=1x40000x1x1 out_channels=1 kernel_size=20000 stride=20000",
         }) {
        CAPTURE(text);
        CHECK_FALSE(parse_problem(text).ok());
    }
    CHECK(parse_problem("softmax in=1x1x46340x46340").ok());
}

TEST_CASE("A control character never reaches a message", "[problem]") {
    CHECK(parse_problem("soft\x1b[2Jmax in=1x1x1x1").error.view().substr(0, 29) ==
          "unknown operator 'soft?[2Jmax");
    CHECK_FALSE(parse_problem(std::string_view("softmax in=1x1x1x1\0", 19)).ok());
}
