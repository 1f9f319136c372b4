// Networks: wiring, sizes, counts, and the receptive field against a search of what each output reads.
#include "lamina/dsl.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <utility>

using namespace lamina;

namespace {

constexpr auto edges =
    network("edges", Input{.height = 480, .width = 640, .channels = 3},
            CrossCorrelation{.out_channels = 8, .kernel_size = 5, .padding = same, .activation = relu},
            MaxPool{.kernel_size = 2, .stride = 2});
static_assert(edges.output() == Shape{1, 240, 320, 8} && edges.receptive_field() == 6);
static_assert(edges.name() == "edges" && edges.size() == 2);
static_assert(edges.layer(0).name == "cross_correlation_1");
static_assert(edges.layer("max_pool_1").problem.in == edges.layer(0).output());
static_assert(edges.find("max_pool_2") == nullptr && edges.find("max_pool_1")->from == 0);

template <auto net>
constexpr std::size_t size_of_argument = net.size();
static_assert(size_of_argument<edges> == 2, "a network is a structural value");

constexpr CrossCorrelation vgg_convolution(int channels) {
    return {.out_channels = channels, .kernel_size = 3, .padding = 1, .activation = relu};
}
constexpr MaxPool halving{.kernel_size = 2, .stride = 2};

constexpr auto vgg16 =
    network("vgg16", Input{.height = 224, .width = 224, .channels = 3}, vgg_convolution(64),
            vgg_convolution(64), halving, vgg_convolution(128), vgg_convolution(128), halving,
            vgg_convolution(256), vgg_convolution(256), vgg_convolution(256), halving, vgg_convolution(512),
            vgg_convolution(512), vgg_convolution(512), halving, vgg_convolution(512), vgg_convolution(512),
            vgg_convolution(512), halving, Dense{.name = "fc6", .out_channels = 4096, .activation = relu},
            Dense{.name = "fc7", .out_channels = 4096, .activation = relu},
            Dense{.name = "fc8", .out_channels = 1000}, Softmax{});

// A bottleneck with a projection, then one without.
constexpr auto residual = network(
    "residual_blocks", Input{.batch = open_batch, .height = 56, .width = 56, .channels = 64},
    CrossCorrelation{.name = "projection", .out_channels = 256, .kernel_size = 1, .stride = 2},
    CrossCorrelation{.name = "a1", .from = "input", .out_channels = 64, .kernel_size = 1, .activation = relu},
    CrossCorrelation{.out_channels = 64, .kernel_size = 3, .stride = 2, .padding = 1, .activation = relu},
    CrossCorrelation{.name = "a3",
                     .out_channels = 256,
                     .kernel_size = 1,
                     .bias = false,
                     .residual = "projection",
                     .activation = relu},
    CrossCorrelation{.out_channels = 64, .kernel_size = 1, .activation = relu},
    CrossCorrelation{.out_channels = 64, .kernel_size = 3, .padding = 1, .activation = relu},
    CrossCorrelation{.out_channels = 256, .kernel_size = 1, .residual = "a3", .activation = leaky_relu(0.2)});

constexpr auto shortcut =
    network("shortcut", Input{.height = 12, .width = 12, .channels = 2},
            Convolution{.name = "side", .out_channels = 2, .kernel_size = 4, .padding = {3, 0, 1, 2}},
            AveragePool{.kernel_size = 3, .stride = 1, .padding = 1},
            CrossCorrelation{.name = "sum", .out_channels = 2, .kernel_size = 1, .residual = "input"},
            CrossCorrelation{.from = "input",
                             .out_channels = 2,
                             .kernel_size = {3, 1},
                             .dilation = 2,
                             .padding = same,
                             .residual = "sum"},
            LpPool{.kernel_size = 2, .stride = {3, 2}, .ceil = true, .power = 1.5});

// Both branches give 3x3 maps, with jumps of 2 and 1.
constexpr auto uneven =
    network("uneven", Input{.height = 5, .width = 5, .channels = 1},
            CrossCorrelation{.name = "coarse", .out_channels = 1, .kernel_size = 1, .stride = 2},
            CrossCorrelation{.from = "input", .out_channels = 1, .kernel_size = 3, .residual = "coarse"});

constexpr auto autoencoder =
    network("autoencoder", Input{.height = 32, .width = 32, .channels = 1},
            CrossCorrelation{.out_channels = 4, .kernel_size = 3, .padding = 1},
            MaxPool{.name = "pool", .kernel_size = 2, .stride = 2, .indices = true},
            CrossCorrelation{.out_channels = 4, .kernel_size = 3, .padding = 1, .activation = gelu},
            MaxUnpool{.kernel_size = 2, .stride = 2, .indices_from = "pool"},
            TransposedConvolution{.out_channels = 1, .kernel_size = 4, .stride = 2, .padding = 1});

using Positions = std::set<int>;

void read_windows(Positions& reads, const Problem& p, int output, const std::vector<Positions>& in) {
    const detail::Axis rows = detail::rows(p);
    for (int a = 0; a < p.kernel_size.height; ++a) {
        const int position = output * p.stride.height + a * p.dilation.height - static_cast<int>(rows.begin);
        if (position >= 0 && position < p.in.height)
            reads.insert(in[static_cast<std::size_t>(position)].begin(),
                         in[static_cast<std::size_t>(position)].end());
    }
}

void read_transposed(Positions& reads, const Problem& p, int output, const std::vector<Positions>& in) {
    for (int i = 0; i < p.in.height; ++i)
        for (int a = 0; a < p.kernel_size.height; ++a)
            if (i * p.stride.height + a * p.dilation.height - p.padding.top == output)
                reads.insert(in[static_cast<std::size_t>(i)].begin(), in[static_cast<std::size_t>(i)].end());
}

// The input rows that each output row of each layer reads, followed value by value.
template <std::size_t N>
std::vector<std::vector<Positions>> rows_read(const Network<N>& net) {
    std::vector<Positions> input;
    input.reserve(static_cast<std::size_t>(net.input.height));
    for (int i = 0; i < net.input.height; ++i)
        input.push_back({i});
    std::vector<std::vector<Positions>> layers;
    const auto of = [&](int source) { return source < 0 ? input : layers[static_cast<std::size_t>(source)]; };
    for (const Node& node : net) {
        std::vector<Positions> in = of(node.from), out;
        for (std::size_t i = 0; node.indices >= 0 && i < in.size(); ++i)
            in[i].merge(Positions(of(node.indices)[i]));
        for (int i = 0; i < node.output().height; ++i) {
            out.emplace_back();
            if (detail::is_transposed(node.problem.op))
                read_transposed(out.back(), node.problem, i, in);
            else
                read_windows(out.back(), node.problem, i, in);
            if (node.residual != Node::nothing)
                out.back().merge(Positions(of(node.residual)[static_cast<std::size_t>(i)]));
        }
        layers.push_back(out);
    }
    return layers;
}

// Every row read lies in the field; `slack` is by how much the field may be wider than what an output reads
// whose field lies wholly inside.
template <std::size_t N>
void check_fields(const Network<N>& net, double slack) {
    const auto layers = rows_read(net);
    for (std::size_t l = 0; l < N; ++l) {
        const FieldAxis& field = net.layer(l).receptive_field.height;
        for (std::size_t i = 0; i < layers[l].size(); ++i) {
            const double begin = field.offset.value() + static_cast<double>(i) * field.jump.value();
            const double end = begin + field.size.value();
            const double first = *layers[l][i].begin(), behind = *layers[l][i].rbegin() + 1;
            CAPTURE(net.name(), net.layer(l).name.view(), i, begin, end, first, behind);
            CHECK(first >= begin);
            CHECK(behind <= end);
            if (begin >= 0 && end <= net.input.height)
                CHECK(end - begin - (behind - first) <= slack);
        }
    }
}

template <class T>
constexpr bool has_field(std::string_view key) {
#define LAMINA_HAS(field)                                                                                    \
    if (key == #field)                                                                                       \
        return requires(T layer) {                                                                           \
            layer.field;                                                                                     \
        };
    LAMINA_HAS(out_channels)
    LAMINA_HAS(kernel_size)
    LAMINA_HAS(stride)
    LAMINA_HAS(dilation)
    LAMINA_HAS(padding)
    LAMINA_HAS(padding_mode)
    LAMINA_HAS(output_padding)
    LAMINA_HAS(groups)
    LAMINA_HAS(algorithm)
    LAMINA_HAS(count_padding)
    LAMINA_HAS(ceil)
    LAMINA_HAS(power)
    LAMINA_HAS(indices)
    LAMINA_HAS(preactivation)
#undef LAMINA_HAS
    return key == "epilogue" && requires(T layer) {
        layer.bias, layer.residual, layer.activation;
    };
}

// Those that are settled by the network's input.
constexpr bool is_the_inputs(std::string_view key) {
    return key == "in" || key == "layout" || key == "type";
}

template <class... Ts>
constexpr bool have_their_keys() {
    const auto has_its_keys = []<class T>(const T&) {
        return std::all_of(std::begin(key_table), std::end(key_table), [](const Key& key) {
            return is_the_inputs(key.name) || has_field<T>(key.name) == key.applies_to(T::op);
        });
    };
    return (has_its_keys(Ts{}) && ...);
}
static_assert(have_their_keys<CrossCorrelation, Convolution, TransposedConvolution, MaxPool, AveragePool,
                              LpPool, GlobalMaxPool, GlobalAveragePool, MaxUnpool, Dense, Softmax>(),
              "a layer has a field for each key of its operator, and no other");

template <std::size_t... Is>
consteval auto deep(std::index_sequence<Is...>) {
    return network("deep", Input{.height = 64, .width = 64, .channels = 8},
                   CrossCorrelation{.out_channels = 8 + 0 * Is, .kernel_size = 3, .padding = same}...);
}

} // namespace

TEST_CASE("The receptive field grows by (kernel - 1) times the product of the earlier strides", "[network]") {
    static_assert(vgg16.layer(0).receptive_field == 3);
    static_assert(vgg16.layer(1).receptive_field == 5);
    static_assert(vgg16.layer(2).receptive_field == 6);
    static_assert(vgg16.layer("max_pool_3").receptive_field == 44);
    static_assert(vgg16.layer("max_pool_4").receptive_field == 100);
    static_assert(vgg16.layer("cross_correlation_13").receptive_field == 196);
    static_assert(vgg16.layer("max_pool_5").receptive_field == 212);
    static_assert(vgg16.layer("max_pool_5").receptive_field.height.jump == 32);
    static_assert(vgg16.layer("max_pool_5").receptive_field.height.offset == -90);

    constexpr auto dilated = network(
        "dilated", Input{.height = 64, .width = 64, .channels = 1},
        CrossCorrelation{.out_channels = 1, .kernel_size = {3, 1}, .stride = {2, 1}, .dilation = {4, 1}},
        CrossCorrelation{.out_channels = 1, .kernel_size = 3, .padding = {2, 0, 0, 0}});
    static_assert(dilated.receptive_field().height == FieldAxis{9 + 2 * 2, 2, -2 * 2});
    static_assert(dilated.receptive_field().width == FieldAxis{3, 1, 0});
    static_assert(!(dilated.receptive_field() == 13));
    check_fields(dilated, 0);
}

TEST_CASE("A pooled convolution sees what the convolution and the pool behind it see", "[network]") {
    constexpr Input image{.height = 65, .width = 33, .channels = 3};
    constexpr auto one = network("one", image,
                                 PooledCrossCorrelation{.out_channels = 4,
                                                        .kernel_size = {7, 3},
                                                        .stride = 2,
                                                        .padding = same,
                                                        .activation = relu,
                                                        .pool_kernel_size = {3, 2},
                                                        .pool_stride = 2,
                                                        .pool_padding = {1, 0, 0, 0}});
    constexpr auto two = network(
        "two", image,
        CrossCorrelation{
            .out_channels = 4, .kernel_size = {7, 3}, .stride = 2, .padding = same, .activation = relu},
        MaxPool{.kernel_size = {3, 2}, .stride = 2, .padding = {1, 0, 0, 0}});
    static_assert(one.receptive_field() == two.receptive_field());
    static_assert(one.output() == two.output());
    static_assert(one.parameter_count() == two.parameter_count());
}

TEST_CASE("Global and dense layers see the whole input, softmax what its input sees", "[network]") {
    constexpr FieldAxis all{224, 224, 0};
    static_assert(vgg16.layer("fc6").receptive_field == ReceptiveField{all, all});
    static_assert(vgg16.receptive_field() == 224);
    constexpr auto pooled = network("pooled", Input{.height = 9, .width = 7, .channels = 2},
                                    AveragePool{.kernel_size = 3}, Softmax{}, GlobalMaxPool{});
    static_assert(pooled.layer(1).receptive_field == 3);
    static_assert(pooled.receptive_field().height.size == 9 && pooled.receptive_field().width.size == 7);
}

TEST_CASE("A join's field is the hull of its branches'", "[network]") {
    static_assert(residual.layer("projection").receptive_field == 1);
    static_assert(residual.layer("a3").receptive_field.height == FieldAxis{3, 2, -1});
    static_assert(residual.receptive_field().height == FieldAxis{7, 2, -3});
    static_assert(shortcut.layer("sum").receptive_field.height == FieldAxis{6, 1, -4});
    static_assert(uneven.receptive_field().height == FieldAxis{5, 2, -2});
    check_fields(residual, 0);
    check_fields(uneven, 4);
}

TEST_CASE("Every layer's field is the hull of the input that its outputs read", "[network]") {
    check_fields(edges, 0);
    check_fields(shortcut, 0);
}

TEST_CASE("Behind transposed layers fields are exact fractions, wider by the zeros put between",
          "[network]") {
    constexpr auto up =
        network("up", Input{.height = 8, .width = 8, .channels = 1},
                TransposedConvolution{.out_channels = 1, .kernel_size = 4, .stride = 2, .padding = 1},
                TransposedConvolution{.out_channels = 1, .kernel_size = 3, .stride = 3});
    static_assert(up.layer(0).receptive_field.height.size.value() == 2.5);
    static_assert(up.layer(0).receptive_field.height.jump.value() == 0.5);
    static_assert(up.layer(0).receptive_field.height.offset == -1);
    static_assert(up.receptive_field().height.jump.denominator == 6);
    check_fields(up, 2 * (1 * 1 / 2.0 + 2 * 1 / 6.0));
    check_fields(autoencoder, 2 * (1 * 1 + 1 * 1 / 2.0));
}

TEST_CASE("An unpooled value's place depends on all that its max_pool saw", "[network]") {
    constexpr auto crossed =
        network("crossed", Input{.height = 8, .width = 8, .channels = 4},
                MaxPool{.name = "pool", .kernel_size = 2, .stride = 2, .indices = true},
                CrossCorrelation{.from = "input", .out_channels = 4, .kernel_size = 1, .stride = 2},
                MaxUnpool{.kernel_size = 2, .stride = 2, .indices_from = "pool"});
    static_assert(crossed.layer(1).receptive_field == 1);
    static_assert(crossed.receptive_field().height == FieldAxis{3, 1, -1});
    check_fields(crossed, 2);
}

TEST_CASE("Counts are the layers' sums", "[network]") {
    static_assert(vgg16.parameter_count() == 138'357'544);
    static_assert(vgg16.layer("max_pool_5").output() == Shape{1, 7, 7, 512});
    std::int64_t operations = 0;
    for (const Node& node : vgg16)
        operations += node.operation_count();
    CHECK(vgg16.operation_count() == operations);
    CHECK(operations / 2 > 15'470'000'000);
    CHECK(operations / 2 < 15'500'000'000);
}

TEST_CASE("Layers know what they read", "[network]") {
    CHECK(residual.layer(0).from == Node::network_input);
    CHECK(residual.layer("a1").from == Node::network_input);
    CHECK(residual.layer(2).from == 1);
    CHECK(residual.layer(2).residual == Node::nothing);
    CHECK(residual.layer("a3").residual == 0);
    CHECK(shortcut.layer("sum").residual == Node::network_input);
    CHECK(autoencoder.layer("max_unpool_1").indices == 1);
    CHECK(residual.output() == Shape{open_batch, 28, 28, 256});
    CHECK(autoencoder.output() == Shape{1, 64, 64, 1});
}

TEST_CASE("A layer's problem has its fields, the epilogue in the order of its application", "[network]") {
    CHECK(to_text(residual.layer("a3").problem).view() ==
          "cross_correlation in=?x28x28x64 out_channels=256 kernel_size=1x1 epilogue=residual,relu");
    CHECK(to_text(residual.layer(6).problem).view() ==
          "cross_correlation in=?x28x28x64 out_channels=256 kernel_size=1x1 "
          "epilogue=bias,residual,leaky_relu:0.2");
    CHECK(to_text(shortcut.layer(4).problem).view() ==
          "lp_pool in=1x12x12x2 kernel_size=2x2 stride=3x2 ceil=yes power=1.5");
    constexpr Problem all_fields = to_problem(Convolution{.out_channels = 8,
                                                          .kernel_size = 3,
                                                          .padding = 1,
                                                          .padding_mode = PaddingMode::circular,
                                                          .groups = 2,
                                                          .algorithm = Algorithm::exact,
                                                          .bias = false},
                                              {1, 9, 9, 4}, Layout::nchw);
    CHECK(to_text(all_fields).view() ==
          "convolution in=1x9x9x4 out_channels=8 kernel_size=3x3 padding=1x1 padding_mode=circular groups=2 "
          "layout=nchw algorithm=exact epilogue=none");
}

TEST_CASE("A network of a hundred layers stays within the compilers' limits", "[network]") {
    constexpr auto net = deep(std::make_index_sequence<100>());
    static_assert(net.receptive_field() == 201);
    static_assert(net.layer("cross_correlation_100").name.length == 21);
}

TEST_CASE("describe gives each layer's name, what it reads, and a problem that parses back", "[network]") {
    const std::string lines = describe(autoencoder);
    std::string_view rest = lines;
    for (const Node& node : autoencoder) {
        const std::string_view line = detail::take_until(rest, '\n');
        const std::size_t colon = line.find(": ");
        CHECK(line.substr(0, line.find(" <- ")) == node.name.view());
        CHECK(parse_problem(line.substr(colon + 2)).problem == node.problem);
    }
    CHECK(rest.empty());
}

TEST_CASE("table shows a row per layer between the input's and the network's", "[network]") {
    CHECK(table(edges) ==
          "layer                reads  output       field  operations  parameters  problem\n"
          "input                       1x480x640x3  1\n"
          "cross_correlation_1         1x480x640x8  5      368640000   608         cross_correlation "
          "in=1x480x640x3 out_channels=8 kernel_size=5x5 padding=same epilogue=bias,relu\n"
          "max_pool_1                  1x240x320x8  6      2457600     0           max_pool "
          "in=1x480x640x8 kernel_size=2x2 stride=2x2\n"
          "edges                       1x240x320x8  6      371097600   608\n");
}
