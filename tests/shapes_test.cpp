// Output sizes, padding, operands and counts, against the literature's formulas and examples.
#include "lamina/problem_text.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace lamina;

namespace {

constexpr Problem problem(std::string_view text) {
    return parse_problem(text).problem;
}
constexpr Shape output_of(std::string_view text) {
    return output_shape(problem(text));
}

// A square one-channel problem.
Problem window(Operator op, int in, int kernel, int stride, int dilation, Padding padding) {
    Problem p = default_problem(op);
    p.in = {1, in, in, 1};
    p.out_channels = facts(op).has_kernel ? 1 : 0;
    p.kernel_size = kernel;
    p.stride = stride;
    p.dilation = dilation;
    p.padding = padding;
    return p;
}

// How many windows lie in the padded input, counted one by one.
int counted_windows(int in, int padding, int extent, int stride) {
    int count = 0;
    for (int begin = 0; begin + extent <= in + 2 * padding; begin += stride)
        ++count;
    return count;
}

static_assert(output_of("cross_correlation in=1x4x4x1 out_channels=1 kernel_size=2") == Shape{1, 3, 3, 1});
static_assert(output_of("cross_correlation in=1x4x4x1 out_channels=1 kernel_size=2 stride=2") ==
              Shape{1, 2, 2, 1});

} // namespace

TEST_CASE("The worked examples have the sizes that are printed beside them", "[shapes]") {
    CHECK(output_of("cross_correlation in=1x3x3x1 out_channels=1 kernel_size=2") == Shape{1, 2, 2, 1});
    CHECK(output_of("cross_correlation in=1x6x8x1 out_channels=1 kernel_size=1x2") == Shape{1, 6, 7, 1});
    CHECK(output_of("cross_correlation in=1x8x8x1 out_channels=1 kernel_size=3 padding=1") ==
          Shape{1, 8, 8, 1});
    CHECK(output_of("cross_correlation in=1x8x8x1 out_channels=1 kernel_size=5x3 padding=2x1") ==
          Shape{1, 8, 8, 1});
    CHECK(output_of("cross_correlation in=1x8x8x1 out_channels=1 kernel_size=3 padding=1 stride=2") ==
          Shape{1, 4, 4, 1});
    CHECK(output_of("cross_correlation in=1x8x8x1 out_channels=1 kernel_size=3x5 padding=0x1 stride=3x4") ==
          Shape{1, 2, 2, 1});
    CHECK(output_of("max_pool in=1x4x4x1 kernel_size=3 stride=3") == Shape{1, 1, 1, 1});
    CHECK(output_of("max_pool in=1x4x4x2 kernel_size=3 stride=2 padding=1") == Shape{1, 2, 2, 2});
    CHECK(output_of("transposed_convolution in=1x2x2x1 out_channels=1 kernel_size=2") == Shape{1, 3, 3, 1});
    CHECK(output_of("transposed_convolution in=1x2x2x1 out_channels=1 kernel_size=2 stride=2") ==
          Shape{1, 4, 4, 1});
    CHECK(output_of("transposed_convolution in=1x2x2x1 out_channels=1 kernel_size=2 padding=1") ==
          Shape{1, 1, 1, 1});
}

TEST_CASE("Windows are as many as lie in the padded input", "[shapes]") {
    for (int in = 1; in <= 12; ++in)
        for (int kernel = 1; kernel <= 5; ++kernel)
            for (int stride = 1; stride <= 4; ++stride)
                for (int dilation = 1; dilation <= 3; ++dilation)
                    for (int padding = 0; padding <= 3; ++padding) {
                        const Problem p =
                            window(Operator::cross_correlation, in, kernel, stride, dilation, padding);
                        const int count = counted_windows(in, padding, dilation * (kernel - 1) + 1, stride);
                        CAPTURE(to_text(p).view());
                        REQUIRE((broken_rule(p) == Rule::none) == (count > 0));
                        if (count > 0)
                            REQUIRE(output_shape(p).height == count);
                    }
}

TEST_CASE("Padding same gives ceil(X / S) outputs, for odd kernels and stride 1 (k - 1) / 2 a side",
          "[shapes]") {
    for (int in = 1; in <= 12; ++in)
        for (int kernel = 1; kernel <= 7; ++kernel)
            for (int stride = 1; stride <= 4; ++stride)
                for (int dilation = 1; dilation <= 2; ++dilation) {
                    const Problem p = window(Operator::cross_correlation, in, kernel, stride, dilation, same);
                    CAPTURE(to_text(p).view());
                    REQUIRE(broken_rule(p) == Rule::none);
                    REQUIRE(output_shape(p).width == (in + stride - 1) / stride);
                    const Padding sides = resolved_padding(p);
                    REQUIRE((sides.bottom == sides.top || sides.bottom == sides.top + 1));
                    if (kernel % 2 == 1 && stride == 1)
                        REQUIRE(sides == Padding(dilation * (kernel - 1) / 2));
                }
}

TEST_CASE("An element of a kernel's axis meets the input where any of the windows has it beside padding",
          "[shapes]") {
    for (const char* text : {"cross_correlation in=1x7x7x8 out_channels=8 kernel_size=3x3 padding=same",
                             "cross_correlation in=1x9x5x8 out_channels=8 kernel_size=4x1 stride=3x1 "
                             "padding=3,2,0,0 dilation=2x1",
                             "max_pool in=2x6x6x3 kernel_size=5x5 padding=2x2"}) {
        const ParsedProblem parsed = parse_problem(text);
        REQUIRE(parsed.ok());
        const Problem& p = parsed.problem;
        const int height = output_shape(p).height;
        const detail::Axis rows = detail::rows(p), columns = detail::columns(p);
        for (int y = 0; y < height; ++y)
            for (int row = 0; row < p.kernel_size.height; ++row) {
                const int at = y * p.stride.height + row * p.dilation.height - resolved_padding(p).top;
                INFO(text << ", output row " << y << ", kernel row " << row);
                CHECK(meets_input(rows, y, y, row) == (at >= 0 && at < p.in.height));
                if (y > 0 && meets_input(rows, y, y, row))
                    CHECK(meets_input(rows, y - 1, y, row));
            }
        CHECK_FALSE(meets_input(rows, 0, 0, 0));
        const int last = output_shape(p).width - 1, end = p.kernel_size.width - 1;
        const bool is_padded = resolved_padding(p).right > 0;
        CHECK(meets_input(columns, last, last, end) == !is_padded);
    }
}

TEST_CASE("Ceil mode adds the last partial window unless it would begin in the trailing padding",
          "[shapes]") {
    CHECK(output_of("max_pool in=1x6x6x1 kernel_size=3 stride=2").height == 2);
    CHECK(output_of("max_pool in=1x6x6x1 kernel_size=3 stride=2 ceil=yes").height == 3);
    CHECK(output_of("max_pool in=1x7x7x1 kernel_size=3 stride=2 ceil=yes").height == 3);
    CHECK(output_of("max_pool in=1x112x112x64 kernel_size=3 stride=2 ceil=yes").height == 56);
    CHECK(output_of("average_pool in=1x4x4x1 kernel_size=2 stride=3 padding=1").height == 2);
    CHECK(output_of("average_pool in=1x4x4x1 kernel_size=2 stride=3 padding=1 ceil=yes").height == 2);
    CHECK(output_of("average_pool in=1x5x5x1 kernel_size=2 stride=4 padding=1 ceil=yes").height == 2);
}

TEST_CASE("A transposed convolution with a fitting output padding gives the size that was convolved",
          "[shapes]") {
    for (int in = 1; in <= 12; ++in)
        for (int kernel = 1; kernel <= 5; ++kernel)
            for (int stride = 1; stride <= 4; ++stride)
                for (int dilation = 1; dilation <= 2; ++dilation)
                    for (int padding = 0; padding <= 2; ++padding) {
                        const Problem forward =
                            window(Operator::cross_correlation, in, kernel, stride, dilation, padding);
                        if (broken_rule(forward) != Rule::none)
                            continue;
                        Problem back = window(Operator::transposed_convolution, output_shape(forward).height,
                                              kernel, stride, dilation, padding);
                        back.output_padding = (in + 2 * padding - dilation * (kernel - 1) - 1) % stride;
                        CAPTURE(to_text(forward).view(), to_text(back).view());
                        REQUIRE(broken_rule(back) == Rule::none);
                        REQUIRE(output_shape(back) == forward.in);
                    }
}

TEST_CASE("Unpooling gives back the pooled size", "[shapes]") {
    CHECK(output_of("max_unpool in=1x4x4x3 kernel_size=2 stride=2") == Shape{1, 8, 8, 3});
    CHECK(output_of("max_unpool in=1x4x4x3 kernel_size=2 stride=2 output_padding=1x0") == Shape{1, 9, 8, 3});
    CHECK(output_of("max_unpool in=1x4x4x3 kernel_size=3 stride=2 padding=1") == Shape{1, 7, 7, 3});
}

TEST_CASE("Operators without windows keep, drop or replace the map", "[shapes]") {
    CHECK(output_of("global_average_pool in=2x7x5x512") == Shape{2, 1, 1, 512});
    CHECK(output_of("global_max_pool in=?x7x5x512") == Shape{open_batch, 1, 1, 512});
    CHECK(output_of("dense in=2x7x7x512 out_channels=4096") == Shape{2, 1, 1, 4096});
    CHECK(output_of("softmax in=2x3x4x5") == Shape{2, 3, 4, 5});
    CHECK(output_of("add in=2x3x4x5") == Shape{2, 3, 4, 5});
    CHECK(output_of("softmax_cross_entropy in=2x3x4x5") == Shape{2, 3, 4, 1});
    CHECK(output_of("mean_squared_error in=?x3x4x5 layout=nchw") == Shape{open_batch, 3, 4, 1});
}

TEST_CASE("A 1x1 convolution may see the rows of all images as those of one", "[shapes]") {
    const auto seen = [](const char* text) { return as_one_image(as_convolution(problem(text))).in; };
    CHECK(seen("cross_correlation in=8x7x5x32 out_channels=16 kernel_size=1") == Shape{1, 56, 5, 32});
    CHECK(seen("convolution_input_gradient in=8x7x5x32 out_channels=16 kernel_size=1") ==
          Shape{1, 56, 5, 16});
    for (const char* more : {"kernel_size=3", "kernel_size=1 stride=2", "kernel_size=1 padding=1",
                             "kernel_size=1 groups=2", "kernel_size=1 layout=nchw"}) {
        const std::string text = std::string("cross_correlation in=8x7x5x32 out_channels=16 ") + more;
        CHECK(seen(text.c_str()) == Shape{8, 7, 5, 32});
    }
    CHECK(seen("cross_correlation in=?x7x5x32 out_channels=16 kernel_size=1") == Shape{open_batch, 7, 5, 32});
    // More positions than an index counts.
    CHECK(seen("cross_correlation in=4096x512x512x4 out_channels=4 kernel_size=1").batch == 4096);
}

TEST_CASE("Counts of known layers", "[shapes]") {
    const Problem stem = problem("cross_correlation in=1x224x224x3 out_channels=64 kernel_size=7 stride=2 "
                                 "padding=3 epilogue=none");
    CHECK(output_shape(stem) == Shape{1, 112, 112, 64});
    CHECK(operation_count(stem) == 2 * 118'013'952);
    CHECK(parameter_count(stem) == 9408);
    CHECK(bytes_moved(stem) == 4 * (224 * 224 * 3 + 9408 + 112 * 112 * 64));

    const Problem vgg = problem("cross_correlation in=1x224x224x64 out_channels=64 kernel_size=3 padding=1");
    CHECK(operation_count(vgg) == 2LL * 1'849'688'064);
    CHECK(parameter_count(vgg) == 36'928);

    const Problem depthwise = problem(
        "cross_correlation in=1x112x112x32 out_channels=32 kernel_size=3 padding=1 groups=32 epilogue=none");
    CHECK(operation_count(depthwise) == 2 * 3'612'672);
    CHECK(parameter_count(depthwise) == 288);

    const Problem separable = problem("separable_convolution in=1x112x112x32 out_channels=16 kernel_size=3 "
                                      "stride=2 padding=1 epilogue=bias,residual");
    CHECK(output_shape(separable) == Shape{1, 56, 56, 16});
    CHECK(operation_count(separable) == 2 * 56 * 56 * 32 * (9 + 16));
    CHECK(parameter_count(separable) == 32 * (9 + 1) + 16 * (32 + 1));
    CHECK(bytes_moved(separable) == 4 * (112 * 112 * 32 + parameter_count(separable) + 2 * 56 * 56 * 16));
    CHECK(pointwise_part(separable).in == output_shape(depthwise_part(separable)));

    const Problem pooled = problem("pooled_cross_correlation in=1x224x224x3 out_channels=64 kernel_size=7 "
                                   "stride=2 padding=3 pool_kernel_size=3 pool_stride=2 pool_padding=1");
    CHECK(output_shape(pooled) == Shape{1, 56, 56, 64});
    CHECK(operation_count(pooled) == 2 * 118'013'952 + 56 * 56 * 64 * 9);
    CHECK(parameter_count(pooled) == 9408 + 64);
    CHECK(bytes_moved(pooled) == 4 * (224 * 224 * 3 + 9408 + 64 + 56 * 56 * 64));
    CHECK(pooling_part(pooled).in == output_shape(as_convolution(pooled)));

    CHECK(parameter_count(problem("dense in=1x7x7x512 out_channels=4096")) == 102'764'544);
    CHECK(operation_count(problem("dense in=1x1x1x2048 out_channels=1000")) == 2 * 2'048'000);
    CHECK(operation_count(problem("max_pool in=1x112x112x64 kernel_size=3 stride=2 padding=1")) ==
          56 * 56 * 64 * 9);
    CHECK(operation_count(problem("global_average_pool in=1x7x7x2048")) == 7 * 7 * 2048);
}

TEST_CASE("A transposed convolution has the operations of the convolution that it is the adjoint of",
          "[shapes]") {
    CHECK(
        operation_count(problem("cross_correlation in=1x8x8x6 out_channels=4 kernel_size=2 stride=2")) ==
        operation_count(problem("transposed_convolution in=1x4x4x4 out_channels=6 kernel_size=2 stride=2")));
}

TEST_CASE("Operands stand in the order and the memory order in which kernels take them", "[shapes]") {
    const Problem p = problem("convolution in=2x9x8x4 out_channels=6 kernel_size=3x1 groups=2 layout=nchw "
                              "epilogue=bias,residual,relu");
    std::string names;
    for (const Operand& operand : operands(p))
        names += std::string(operand.name) + " ";
    CHECK(names == "input kernel bias residual output ");
    CHECK(operands(p).find("input")->shape == std::array{2, 4, 9, 8});
    CHECK(operands(p).find("kernel")->shape == std::array{3, 1, 2, 6});
    CHECK(operands(p).find("output")->shape == std::array{2, 6, 7, 8});
    CHECK(operands(p).find("residual")->elements() == operands(p).find("output")->elements());
    CHECK(operands(p).find("indices") == nullptr);

    const Problem pool = problem("max_pool in=?x4x4x1 kernel_size=2 indices=yes");
    CHECK(operands(pool).find("indices")->type == Type::i32);
    CHECK(operands(pool).find("indices")->direction == Direction::out);
    CHECK(operands(pool).find("indices")->elements(7) == 7 * 9);
    CHECK(operands(problem("max_unpool in=1x4x4x1 kernel_size=2")).find("indices")->direction ==
          Direction::in);
}

TEST_CASE("Operands of losses and of training's steps stand in their order", "[shapes]") {
    const auto names = [](std::string_view text) {
        std::string list;
        for (const Operand& operand : operands(problem(text)))
            list += std::string(operand.name) + " ";
        return list;
    };
    CHECK(names("add in=1x2x2x2") == "input residual output ");
    CHECK(names("softmax_cross_entropy in=1x2x2x2") == "input labels output ");
    CHECK(names("mean_squared_error in=1x2x2x2") == "input target output ");
    CHECK(names("softmax_cross_entropy_input_gradient in=1x2x2x2") ==
          "input labels output_gradient input_gradient ");
    CHECK(names("mean_squared_error_input_gradient in=1x2x2x2") ==
          "input target output_gradient input_gradient ");
    CHECK(names("sgd in=1x1x1x9") == "weights gradient velocity rates updated_weights updated_velocity ");
    CHECK(names("adam in=1x1x1x9") == "weights gradient first_moment second_moment rates updated_weights "
                                      "updated_first_moment updated_second_moment ");
    const Operands loss = operands(problem("softmax_cross_entropy in=2x3x4x5 layout=nchw"));
    CHECK(loss.find("labels")->type == Type::i32);
    CHECK(loss.find("labels")->shape == std::array{2, 1, 3, 4});
    CHECK(loss.find("output")->shape == std::array{2, 1, 3, 4});
    const Operands adam = operands(problem("adam in=1x1x1x9"));
    CHECK(adam.find("rates")->elements() == 6);
    CHECK(adam.find("second_moment")->rank == 1);
    CHECK(operands(problem("sgd in=1x1x1x9")).find("rates")->elements() == 3);
}

TEST_CASE("An output names the input whose memory it may be", "[shapes]") {
    const auto place = [](std::string_view text, std::string_view output) {
        const Operands list = operands(problem(text));
        return list.in_place_of(*list.find(output));
    };
    CHECK(place("add in=1x2x2x2", "output") == 1);
    CHECK(place("mean_squared_error_input_gradient in=1x2x2x2", "input_gradient") == 1);
    CHECK(place("softmax_cross_entropy_input_gradient in=1x2x2x2", "input_gradient") == 0);
    CHECK(place("softmax in=1x2x2x2", "output") == 0);
    CHECK(place("dense in=1x2x2x2 out_channels=2 epilogue=bias,residual", "output") == 4);
    CHECK(place("dense in=1x2x2x2 out_channels=2 epilogue=bias", "output") == 0);
    CHECK(place("dense in=1x2x2x2 out_channels=2 epilogue=residual,relu preactivation=yes", "output") == 0);
    CHECK(place("sgd in=1x1x1x9", "updated_weights") == 1);
    CHECK(place("sgd in=1x1x1x9", "updated_velocity") == 3);
    CHECK(place("adam in=1x1x1x9", "updated_weights") == 1);
    CHECK(place("adam in=1x1x1x9", "updated_first_moment") == 3);
    CHECK(place("adam in=1x1x1x9", "updated_second_moment") == 4);
    CHECK(place("adam in=1x1x1x9", "rates") == 0);
}

TEST_CASE("An open batch counts as one image", "[shapes]") {
    const Problem one = problem("dense in=1x1x1x64 out_channels=8");
    const Problem open = problem("dense in=?x1x1x64 out_channels=8");
    CHECK(operation_count(open) == operation_count(one));
    CHECK(bytes_moved(open) == bytes_moved(one));
}

TEST_CASE("Counts stop at the largest value instead of wrapping around", "[shapes]") {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    Problem p = default_problem(Operator::dense);
    p.in = {999'999'999, 999'999'999, 999'999'999, 999'999'999};
    p.out_channels = 999'999'999;
    CHECK(operation_count(p) == most);
    CHECK(bytes_moved(p) == most);
    CHECK(broken_rule(p) != Rule::none);
}

TEST_CASE("Counts go beyond 32 bits", "[shapes]") {
    const Problem heavy = problem("cross_correlation in=1x40000x1x10000 out_channels=50000 "
                                  "kernel_size=4001x1 padding=2000x0 groups=10000");
    REQUIRE(output_shape(heavy) == Shape{1, 40'000, 1, 50'000});
    CHECK(operation_count(heavy) == 2LL * 40'000 * 50'000 * 4001);
}
