#include "generators/library.hpp"
#include "generators/temporary_folder.hpp"
#include "tests/support/random.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace lamina;
using namespace lamina::testing;

namespace {

NetworkRequest request(const std::string& lines, const std::string& loss = "",
                       const std::string& optimiser = "sgd") {
    ParsedNetwork parsed = parse_network(lines);
    REQUIRE(parsed.error == "");
    return {std::move(parsed.layers), loss, optimiser};
}

std::string calls(const PlannedRun& run) {
    std::string text;
    for (const PlannedCall& call : run.calls) {
        text += call.function + "(";
        for (const std::string& argument : call.arguments)
            text += argument + (&argument == &call.arguments.back() ? ")\n" : ", ");
    }
    return text;
}

const std::string small =
    "a <- input: cross_correlation in=2x4x4x3 out_channels=3 kernel_size=1 epilogue=bias,relu\n"
    "b <- a + a: cross_correlation in=2x4x4x3 out_channels=3 kernel_size=1 "
    "epilogue=residual\n";

} // namespace

TEST_CASE("a network's text is refused with the line and what is wrong", "[networks]") {
    CHECK(parse_network("").error == "no layers given");
    CHECK(parse_network("a: softmax in=1x1x1x4\nb <- c: softmax in=1x1x1x4").error ==
          "line 2: 'c': no earlier layer has that name");
    CHECK(parse_network("a <- input ! b: softmax in=1x1x1x4").error == "line 1: '!': expected <-, + or @");
    CHECK(parse_network("a softmax").error == "line 1: not of the form NAME <- SOURCE: PROBLEM");
    CHECK(parse_network("a <- input: blur in=1x1x1x4").error.starts_with("line 1: unknown operator 'blur'"));
}

TEST_CASE("buffers that live at the same time share no byte", "[networks]") {
    Random random(5);
    for (int round = 0; round < 50; ++round) {
        std::vector<ArenaBuffer> buffers(static_cast<std::size_t>(random.between(1, 40)));
        std::vector<ArenaBuffer*> places;
        for (ArenaBuffer& buffer : buffers) {
            buffer.bytes = random.between(1, 5000);
            buffer.first = random.below(20);
            buffer.last = buffer.first + random.below(6);
            places.push_back(&buffer);
        }
        const std::int64_t end = place_in_arena(places);
        std::int64_t busiest = 0;
        for (int now = 0; now < 26; ++now) {
            std::int64_t bytes = 0;
            for (const ArenaBuffer& buffer : buffers)
                bytes += buffer.first <= now && now <= buffer.last ? (buffer.bytes + 127) / 128 * 128 : 0;
            busiest = std::max(busiest, bytes);
        }
        CHECK(end >= busiest);
        CHECK(static_cast<double>(end) <= 1.3 * static_cast<double>(busiest));
        for (const ArenaBuffer& a : buffers) {
            CHECK(a.offset % 128 == 0);
            CHECK(a.offset + a.bytes <= end);
            for (const ArenaBuffer& b : buffers)
                if (&a != &b && a.first <= b.last && b.first <= a.last)
                    CHECK((a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset));
        }
    }
}

TEST_CASE("a plan calls each layer, and its gradients in the opposite order", "[networks]") {
    const NetworkPlan plan = plan_network(request(small, "mean_squared_error"));
    REQUIRE(plan.error == "");
    CHECK(calls(plan.inference) == "a(input, a_kernel, a_bias, a_output)\n"
                                   "b(a_output, b_kernel, a_output, output)\n");
    CHECK(calls(plan.training) ==
          "a_pack(a_kernel, a_packed)\n"
          "a(input, a_packed, a_bias, a_output)\n"
          "b_pack(b_kernel, b_packed)\n"
          "b(a_output, b_packed, a_output, b_output)\n"
          "loss(b_output, target, losses)\n"
          "loss_input_gradient(b_output, target, loss_gradient, b_output_gradient)\n"
          "b_kernel_gradient(a_output, b_output_gradient, b_kernel_gradient)\n"
          "b_residual_gradient(b_output_gradient, a_output_gradient)\n"
          "b_input_gradient_pack(b_kernel, b_input_gradient_packed)\n"
          "b_input_gradient(b_input_gradient_packed, b_output_gradient, b_input_gradient)\n"
          "a_add(a_output_gradient, b_input_gradient, a_output_gradient)\n"
          "a_bias_gradient(a_output, a_output_gradient, a_bias_gradient)\n"
          "a_kernel_gradient(input, a_output, a_output_gradient, a_kernel_gradient)\n");
    CHECK(plan.weight_count == 32 * 3); // each tensor begins a cache line of its own
    CHECK(plan.parameters.size() == 3);
}

TEST_CASE("a network that cannot be trained is refused with the reason", "[networks]") {
    CHECK(plan_network(request(small, "hinge")).error ==
          "loss 'hinge': expected softmax_cross_entropy or mean_squared_error");
    CHECK(plan_network(request(small, "mean_squared_error", "rmsprop")).error ==
          "optimiser 'rmsprop': expected sgd or adam");
    CHECK(plan_network(request("a <- input: softmax in=1x1x1x4", "softmax_cross_entropy")).error ==
          "loss softmax_cross_entropy: contains a softmax, and the network's last layer is one already");
    CHECK(plan_network(request("a <- input: separable_convolution in=1x4x4x4 out_channels=8 kernel_size=3",
                               "mean_squared_error"))
              .error ==
          "loss mean_squared_error: layer a is a separable_convolution, which has no gradients; a "
          "network that is trained has the layers that it consists of instead");
    CHECK(
        plan_network(request("a <- input: max_pool in=1x4x4x4 kernel_size=2", "mean_squared_error")).error ==
        "loss mean_squared_error: the network has no weights to train");
}

TEST_CASE("layers with one problem share one kernel", "[networks]") {
    LibraryRequest library;
    library.name = "net";
    library.network = request("a <- input: max_pool in=1x4x4x8 kernel_size=3 padding=1\n"
                              "b <- a: max_pool in=1x4x4x8 kernel_size=3 padding=1\n"
                              "c <- b: max_pool in=1x4x4x8 kernel_size=2");
    for (const NetworkLayer& layer : library.network.layers)
        library.kernels.push_back({layer.name, layer.problem, ""});
    library.targets = {find_target("x86-64-linux")};
    const TemporaryFolder folder;
    library.folder = folder.path();
    const Library made = compile_library(library);
    REQUIRE(made.error == "");
    CHECK(made.kernels[0].call.name == "net_a");
    CHECK(made.kernels[1].call.name == "net_a");
    CHECK(made.kernels[2].call.name == "net_c");
    CHECK(made.kernels[0].call.objects == made.kernels[1].call.objects);
}

TEST_CASE("a layer named like one of the network's functions is refused", "[networks]") {
    LibraryRequest library;
    library.name = "net";
    library.network = request("infer <- input: softmax in=1x1x1x4");
    library.targets = {find_target("x86-64-linux")};
    library.kernels.push_back({"infer", library.network.layers[0].problem, ""});
    CHECK(why_invalid(library) ==
          "layer 'infer': the network's header has a function or constant of that name");
}
