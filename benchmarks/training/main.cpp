// Times training steps of two networks on one pinned core, beside the peak measured between them.
#include "networks.hpp"

#include "lenet.h"
#include "small_vgg.h"

#include "tuner/core_watch.hpp"
#include "tuner/peak.hpp"
#include "tuner/timing.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

using namespace lamina;

// Operations of a step by the direct algorithm: a layer's own, as many for its kernel's gradient, and as many
// again for its input's where that is needed.
template <class Net>
double step_operations(const Net& network) {
    double operations = 0;
    for (const Node& node : network)
        if (facts(node.problem.op).has_kernel)
            operations += static_cast<double>(node.operation_count()) * (node.from < 0 ? 2 : 3);
    return operations;
}

struct Net {
    const char* name;
    double operations;
    Extents input, labels;
    std::int64_t weight_count, arena_size;
    std::span<const Parameter> parameters;
    decltype(&lenet::forward) forward;
    decltype(&lenet::backward) backward;
    decltype(&lenet::update) update;
    std::size_t (*scratch_size)(int);
};

void stop(const Status& status) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(status.message().size()), status.message().data());
    std::exit(1);
}

void time_steps(const Net& net, double seconds) {
    const PinnedCore pinned;
    Context context;
    Tensor<float> input(net.input), weights({net.weight_count}), gradients({net.weight_count}),
        state({net.weight_count});
    Tensor<std::int32_t> labels(net.labels);
    Tensor<std::byte> arena({net.arena_size});
    initialise(weights.values(), net.parameters, Initialisation::he, 1);
    for (std::size_t i = 0; i < input.values().size(); ++i)
        input.values()[i] = static_cast<float>(i * 7919 % 256) / 255;
    for (std::size_t i = 0; i < labels.values().size(); ++i)
        labels.values()[i] = static_cast<std::int32_t>(i % 10);
    float loss = 0;
    const Sgd rule{.learning_rate = 0.01f, .momentum = 0.9f};
    double forward = 0, backward = 0;
    const auto step = [&] {
        const double begin = now_seconds();
        Status status = net.forward(context, input, labels, weights.values(), arena.values(), loss);
        const double between = now_seconds();
        if (status)
            status =
                net.backward(context, input, labels, weights.values(), arena.values(), gradients.values());
        const double end = now_seconds();
        if (status)
            status = net.update(context, weights.values(), gradients.values(), state.values(), rule);
        if (!status)
            stop(status);
        forward = between - begin;
        backward = end - between;
        return now_seconds() - begin;
    };
    step();
    const TargetFacts& target = *find_target(host_target_name());
    CoreWatch watch;
    std::vector<WatchedSample> steps, peaks, forwards, backwards;
    for (const double start = now_seconds(); now_seconds() - start < seconds || steps.size() < 5;) {
        steps.push_back(watch.sample(step));
        forwards.push_back({forward, steps.back().issued});
        backwards.push_back({backward, steps.back().issued});
        peaks.push_back(watch.sample([&] { return sample_gflops(target).value_or(0); }));
    }
    const auto median = [&](const std::vector<WatchedSample>& samples) {
        return quartiles(undisturbed_or_all(samples, watch.most(), 5)).median;
    };
    const double time = median(steps), peak = median(peaks);
    // In floats: the input, what the arena holds, weights, gradients and the optimiser's state.
    const double bytes = static_cast<double>(net.arena_size) +
                         4.0 * static_cast<double>(net.input.product() + 3 * net.weight_count) +
                         static_cast<double>(net.scratch_size(1));
    std::printf(
        "%-10s %8.2f ms a step (%.2f forward, %.2f backward), %6.1f GFLOP/s, %.3f of the peak of %.1f; "
        "memory %.1f MB; %zu of %zu steps alone\n",
        net.name, time * 1e3, median(forwards) * 1e3, median(backwards) * 1e3, net.operations / time / 1e9,
        net.operations / time / 1e9 / peak, peak, bytes / 1e6, undisturbed(steps, watch.most()).size(),
        steps.size());
}

} // namespace

int main(int count, char** arguments) {
    const double seconds = count > 1 ? std::atof(arguments[1]) : 5;
    time_steps({"small_vgg",
                step_operations(training::small_vgg),
                {32, 32, 32, 3},
                {32, 1, 1, 1},
                small_vgg::weight_count,
                small_vgg::training_arena_size,
                small_vgg::parameters,
                small_vgg::forward,
                small_vgg::backward,
                small_vgg::update,
                small_vgg::training_scratch_size},
               seconds);
    time_steps({"lenet",
                step_operations(training::lenet),
                {32, 28, 28, 1},
                {32, 1, 1, 1},
                lenet::weight_count,
                lenet::training_arena_size,
                lenet::parameters,
                lenet::forward,
                lenet::backward,
                lenet::update,
                lenet::training_scratch_size},
               seconds);
}
