// The generated functions of whole networks: against the fp64 references of their layers, whose losses give
// the gradients by finite differences.
#include "tests/networks/networks.hpp"
#include "tests/reference/reference.hpp"
#include "tests/support/heap_uses.hpp"
#include "tests/support/random.hpp"

#include "branches.h"
#include "mobile.h"
#include "painter.h"
#include "planes.h"

#include <catch2/catch.hpp>

#include <cmath>

using namespace lamina;
using namespace lamina::testing;

namespace {

// What a generated header offers, for both networks in the same way.
struct Branches {
    static constexpr const auto& network = networks::branches;
    static constexpr std::string_view loss = "softmax_cross_entropy", goal_name = "labels";
    static constexpr int batch = 3;
    static constexpr float reached = 0.5f; // of the first loss, in 30 steps
    using Goal = std::int32_t;
    static constexpr std::int64_t infer_arena_size = branches::infer_arena_size,
                                  training_arena_size = branches::training_arena_size,
                                  weight_count = branches::weight_count,
                                  packed_weight_count = branches::packed_weight_count,
                                  state_count = branches::state_count;
    static constexpr std::span<const Parameter> parameters = branches::parameters;
    static constexpr auto pack = branches::pack;
    static constexpr auto infer = branches::infer;
    static constexpr auto forward = branches::forward;
    static constexpr auto backward = branches::backward;
    static constexpr auto update = branches::update;
    static View<const float> output(std::span<std::byte> arena) { return branches::forward_output(arena); }
    static Sgd rule(int) { return {.learning_rate = 0.1f, .momentum = 0.5f, .weight_decay = 0.01f}; }
};

struct Painter {
    static constexpr const auto& network = networks::painter;
    static constexpr std::string_view loss = "mean_squared_error", goal_name = "target";
    static constexpr int batch = 2;
    static constexpr float reached = 0.5f;
    using Goal = float;
    static constexpr std::int64_t infer_arena_size = painter::infer_arena_size(batch),
                                  training_arena_size = painter::training_arena_size(batch),
                                  weight_count = painter::weight_count,
                                  packed_weight_count = painter::packed_weight_count,
                                  state_count = painter::state_count;
    static constexpr std::span<const Parameter> parameters = painter::parameters;
    static constexpr auto pack = painter::pack;
    static constexpr auto infer = painter::infer;
    static constexpr auto forward = painter::forward;
    static constexpr auto backward = painter::backward;
    static constexpr auto update = painter::update;
    static View<const float> output(std::span<std::byte> arena) {
        return painter::forward_output(arena, batch);
    }
    static Adam rule(int step) { return {.step = step, .learning_rate = 0.02f, .weight_decay = 0.01f}; }
};

struct Planes {
    static constexpr const auto& network = networks::planes;
    static constexpr std::string_view loss = "mean_squared_error", goal_name = "target";
    static constexpr int batch = 2;
    static constexpr float reached = 0.95f; // probabilities are none of the targets
    using Goal = float;
    static constexpr std::int64_t infer_arena_size = planes::infer_arena_size,
                                  training_arena_size = planes::training_arena_size,
                                  weight_count = planes::weight_count,
                                  packed_weight_count = planes::packed_weight_count,
                                  state_count = planes::state_count;
    static constexpr std::span<const Parameter> parameters = planes::parameters;
    static constexpr auto pack = planes::pack;
    static constexpr auto infer = planes::infer;
    static constexpr auto forward = planes::forward;
    static constexpr auto backward = planes::backward;
    static constexpr auto update = planes::update;
    static View<const float> output(std::span<std::byte> arena) { return planes::forward_output(arena); }
    static Sgd rule(int) { return {.learning_rate = 2, .momentum = 0.8f}; }
};

double random_real(Random& random) {
    return static_cast<double>(random.between(-1000, 1000)) / 1000;
}

template <class Net>
Problem loss_problem() {
    Problem p = default_problem(*operator_named(Net::loss));
    p.in = Net::network.output();
    p.in.batch = Net::batch;
    p.layout = Net::network.input.layout;
    return p;
}

// A network with memory for everything, random weights and data.
template <class Net>
struct Trainer {
    Tensor<float> input, weights, gradients, state, packed;
    Tensor<typename Net::Goal> goal;
    Tensor<std::byte> infer_arena{{Net::infer_arena_size}}, arena{{Net::training_arena_size}};
    Context context;
    float loss = 0;

    explicit Trainer(int threads = 1) : context(ContextOptions{.threads = threads}) {
        Shape in = Net::network.input.shape();
        in.batch = Net::batch;
        input = Tensor<float>(Extents(in, Net::network.input.layout));
        weights = Tensor<float>({Net::weight_count});
        gradients = Tensor<float>({Net::weight_count});
        state = Tensor<float>({Net::state_count});
        packed = Tensor<float>({Net::packed_weight_count});
        const Problem problem = loss_problem<Net>();
        const Operand form = *operands(problem).find(Net::goal_name);
        goal = Tensor<typename Net::Goal>({form.shape[0], form.shape[1], form.shape[2], form.shape[3]});
        Random random(7);
        for (float& value : input.values())
            value = static_cast<float>(random_real(random));
        for (const Parameter& p : Net::parameters)
            for (std::int64_t i = 0; i < p.shape.product(); ++i)
                weights.values()[p.offset + static_cast<std::size_t>(i)] =
                    static_cast<float>(random_real(random) * 0.6);
        for (auto& value : goal.values())
            value = std::is_same_v<typename Net::Goal, float>
                        ? static_cast<typename Net::Goal>(random_real(random))
                        : static_cast<typename Net::Goal>(random.below(5));
    }

    static Extents output_shape() {
        const Problem problem = loss_problem<Net>();
        return {problem.in, problem.layout};
    }

    Status forward() { return Net::forward(context, input, goal, weights.values(), arena.values(), loss); }
    Status backward() {
        return Net::backward(context, input, goal, weights.values(), arena.values(), gradients.values());
    }
    Status update(int step) {
        return Net::update(context, weights.values(), gradients.values(), state.values(), Net::rule(step));
    }
    Status infer(View<float> output) {
        const Status status = Net::pack(context, weights.values(), packed.values());
        return status ? Net::infer(context, input, packed.values(), infer_arena.values(), output) : status;
    }
};

TestTensor in_doubles(View<const float> view) {
    TestTensor tensor;
    for (int i = 0; i < view.shape().rank(); ++i)
        tensor.shape.push_back(static_cast<int>(view.shape()[i]));
    tensor.data.assign(view.data(), view.data() + view.size());
    return tensor;
}

using Weights = std::map<std::string, TestTensor>; // by a parameter's name

template <class Parameters>
Weights weights_in_doubles(const Parameters& parameters, const float* weights) {
    Weights all;
    for (const Parameter& p : parameters)
        all[std::string(p.name)] = in_doubles(View<const float>(weights + p.offset, p.shape));
    return all;
}

// A network's output in fp64, by the references of its layers.
template <class Network>
TestTensor reference_output(const Network& network, const TestTensor& input, const Weights& weights) {
    std::vector<Tensors> layers;
    const auto value = [&](int source) {
        return source < 0 ? input : layers[static_cast<std::size_t>(source)].at("output");
    };
    for (const Node& node : network) {
        Tensors tensors{{"input", value(node.from)}};
        for (const char* role : {"kernel", "bias", "depthwise_kernel", "depthwise_bias"})
            if (const auto found = weights.find(std::string(node.name) + "." + role); found != weights.end())
                tensors[role] = found->second;
        if (node.residual != Node::nothing)
            tensors["residual"] = value(node.residual);
        if (node.indices != Node::nothing)
            tensors["indices"] = layers[static_cast<std::size_t>(node.indices)].at("indices");
        reference(node.problem, tensors);
        layers.push_back(std::move(tensors));
    }
    return layers.back().at("output");
}

// The network in fp64.
template <class Net>
class Reference {
public:
    explicit Reference(const Trainer<Net>& trainer)
        : weights(weights_in_doubles(Net::parameters, trainer.weights.data())), trainer_(trainer) {}

    Weights weights;

    TestTensor output() const {
        return reference_output(Net::network, in_doubles(trainer_.input.view()), weights);
    }

    double loss() const {
        Tensors tensors{{"input", output()}};
        TestTensor& goal = tensors[std::string(Net::goal_name)];
        goal.shape.assign(trainer_.goal.shape().data(), trainer_.goal.shape().data() + 4);
        goal.data.assign(trainer_.goal.values().begin(), trainer_.goal.values().end());
        reference(loss_problem<Net>(), tensors);
        double sum = 0;
        for (const double value : tensors.at("output").data)
            sum += value;
        return sum / static_cast<double>(tensors.at("output").data.size());
    }

private:
    const Trainer<Net>& trainer_;
};

template <class Net>
std::vector<float> trained_weights(int threads) {
    Trainer<Net> trainer(threads);
    for (int step = 1; step <= 5; ++step) {
        REQUIRE(trainer.forward());
        REQUIRE(trainer.backward());
        REQUIRE(trainer.update(step));
    }
    return {trainer.weights.values().begin(), trainer.weights.values().end()};
}

} // namespace

TEMPLATE_TEST_CASE("a network infers what its layers' references give", "[networks]", Branches, Painter,
                   Planes) {
    Trainer<TestType> trainer;
    Tensor<float> output(Trainer<TestType>::output_shape());
    const Status status = trainer.infer(output);
    REQUIRE(status.message() == "");
    const TestTensor expected = Reference<TestType>(trainer).output();
    REQUIRE(expected.data.size() == output.values().size());
    for (std::size_t i = 0; i < expected.data.size(); ++i)
        CHECK(static_cast<double>(output.values()[i]) == Approx(expected.data[i]).margin(1e-5));
    REQUIRE(trainer.forward());
    const View<const float> forward = TestType::output(trainer.arena.values());
    for (std::size_t i = 0; i < expected.data.size(); ++i)
        CHECK(static_cast<double>(forward.data()[i]) == Approx(expected.data[i]).margin(1e-5));
}

TEST_CASE("a network of layers that are two in one infers what the references of their parts give",
          "[networks]") {
    Tensor<float> input(Extents(networks::mobile.input.shape(), networks::mobile.input.layout));
    Tensor<float> weights({mobile::weight_count}), packed({mobile::packed_weight_count});
    Tensor<float> output(Extents(networks::mobile.output(), networks::mobile.input.layout));
    Tensor<std::byte> arena({mobile::infer_arena_size});
    Random random(9);
    for (Tensor<float>* tensor : {&input, &weights})
        for (float& value : tensor->values())
            value = static_cast<float>(random_real(random));
    Context context;
    REQUIRE(mobile::pack(context, weights.values(), packed.values()).message() == "");
    REQUIRE(mobile::infer(context, input, packed.values(), arena.values(), output).message() == "");
    const TestTensor expected =
        reference_output(networks::mobile, in_doubles(input.view()),
                         weights_in_doubles(std::span<const Parameter>(mobile::parameters), weights.data()));
    REQUIRE(expected.data.size() == output.values().size());
    for (std::size_t i = 0; i < expected.data.size(); ++i)
        CHECK(static_cast<double>(output.values()[i]) == Approx(expected.data[i]).margin(1e-4));
}

TEMPLATE_TEST_CASE("a network's gradients are the slopes of its loss", "[networks]", Branches, Painter,
                   Planes) {
    Trainer<TestType> trainer;
    REQUIRE(trainer.forward().message() == "");
    REQUIRE(trainer.backward().message() == "");
    Reference<TestType> reference(trainer);
    CHECK(static_cast<double>(trainer.loss) == Approx(reference.loss()).epsilon(1e-5));
    Random random(8);
    for (const Parameter& p : TestType::parameters)
        for (int probe = 0; probe < 8; ++probe) {
            const int at = random.below(static_cast<int>(p.shape.product()));
            INFO(p.name << "[" << at << "]");
            double& weight = reference.weights.at(std::string(p.name)).data[static_cast<std::size_t>(at)];
            const double kept = weight, step = 1e-6;
            weight = kept + step;
            const double ahead = reference.loss();
            weight = kept - step;
            const double behind = reference.loss();
            weight = kept;
            const float gradient = trainer.gradients.values()[p.offset + static_cast<std::size_t>(at)];
            CHECK(static_cast<double>(gradient) ==
                  Approx((ahead - behind) / (2 * step)).epsilon(1e-3).margin(1e-5));
        }
}

TEMPLATE_TEST_CASE("training lowers the loss, with the same bits for any number of threads", "[networks]",
                   Branches, Painter, Planes) {
    Trainer<TestType> trainer;
    REQUIRE(trainer.forward());
    const float first = trainer.loss;
    for (int step = 1; step <= 30; ++step) {
        REQUIRE(trainer.forward());
        REQUIRE(trainer.backward());
        REQUIRE(trainer.update(step));
    }
    REQUIRE(trainer.forward());
    CHECK(trainer.loss < first * TestType::reached);
    CHECK(trained_weights<TestType>(1) == trained_weights<TestType>(2));
}

TEMPLATE_TEST_CASE("after the first step, training and inference allocate nothing", "[networks]", Branches,
                   Painter, Planes) {
    if (!counts_heap_uses()) {
        WARN("skipped: under a sanitizer, or without glibc, uses of the heap are not counted");
        return;
    }
    Trainer<TestType> trainer;
    Tensor<float> output(Trainer<TestType>::output_shape());
    const auto step = [&](int number) {
        return trainer.forward() && trainer.backward() && trainer.update(number) && trainer.infer(output);
    };
    REQUIRE(step(1));
    const int before = heap_uses();
    const bool is_well = step(2) && step(3);
    const int uses = heap_uses() - before;
    CHECK(is_well);
    CHECK(uses == 0);
}

TEST_CASE("a network works with scratch of the caller's, as much as its header says", "[networks]") {
    Trainer<Branches> trainer;
    const std::size_t size = std::max(branches::training_scratch_size(1), branches::infer_scratch_size(1));
    Tensor<std::byte> scratch({static_cast<std::int64_t>(std::max<std::size_t>(size, 1))});
    trainer.context = Context(ContextOptions{.scratch = scratch.values()});
    Tensor<float> output(Trainer<Branches>::output_shape());
    CHECK(trainer.forward().message() == "");
    CHECK(trainer.backward().message() == "");
    CHECK(trainer.update(1).message() == "");
    CHECK(trainer.infer(output).message() == "");
}

TEST_CASE("memory that is too small is refused by its name", "[networks]") {
    Trainer<Branches> trainer;
    const auto arena = trainer.arena.values();
    float loss = 0;
    const Status status = branches::forward(trainer.context, trainer.input, trainer.goal,
                                            trainer.weights.values(), arena.first(arena.size() - 1), loss);
    CHECK(status.code() == LAMINA_BAD_SHAPE);
    CHECK(status.message() == "branches::forward: arena: expected " +
                                  std::to_string(branches::training_arena_size) + " bytes, got " +
                                  std::to_string(branches::training_arena_size - 1));
    CHECK(branches::update(trainer.context, trainer.weights.values(), trainer.gradients.values(), {}, Sgd{})
              .message() ==
          "branches::update: state: expected " + std::to_string(branches::state_count) + " floats, got 0");
    CHECK(branches::infer(trainer.context, trainer.input, {}, trainer.infer_arena.values(), View<float>())
              .message() == "branches::infer: packed_weights: expected " +
                                std::to_string(branches::packed_weight_count) + " floats, got 0");
    CHECK(painter::infer_arena_size(4) == 2 * painter::infer_arena_size(2) - painter::infer_arena_size(0));
    CHECK_FALSE(
        painter::infer(trainer.context, View<const float>(), trainer.weights.values(), arena, View<float>()));
}
