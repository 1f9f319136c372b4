#include "benchmarks/versus_onednn/compare.hpp"

#include "benchmarks/versus_onednn/peer.hpp"
#include "schedules/nests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

namespace lamina::versus {

namespace {

bool is_winograd(std::string_view family) {
    return family.starts_with("winograd");
}

std::string group_of(const Problem& p, std::string_view family, int threads) {
    if (threads > 1)
        return threads == 2 ? "two_threads" : fmt::format("{}_threads", threads);
    if (!facts(p.op).has_kernel)
        return "pooling";
    if (p.op == Operator::separable_convolution)
        return "separable";
    if (p.op == Operator::pooled_cross_correlation)
        return "pooled";
    const bool is_depthwise = p.groups > 1 && p.groups == p.in.channels;
    if (is_gradient(p.op))
        return is_depthwise                              ? "depthwise_gradients"
               : facts(p.op).gradient == Gradient::input ? "input_gradient"
                                                         : "kernel_gradient";
    return is_depthwise ? "depthwise_forward" : is_winograd(family) ? "winograd_forward" : "direct_forward";
}

// The largest difference that is allowed, as a part of the largest value. Sums of small integers are exact;
// quotients, slopes that are no binary fractions and exponentials are rounded in each library's own way, and
// Winograd's transforms round everything.
double tolerance(const Problem& p, std::string_view family) {
    constexpr double rounded = 1e-6, approximated = 2e-5, transformed = 1e-3;
    if (is_winograd(family))
        return transformed;
    if (p.op == Operator::separable_convolution)
        return std::max(tolerance(depthwise_part(p), family), tolerance(pointwise_part(p), family));
    if (forward_of(p.op) == Operator::average_pool || forward_of(p.op) == Operator::global_average_pool)
        return rounded;
    const std::optional<Step> activation = activation_of(p.epilogue);
    if (!activation || activation == Step::relu || activation == Step::relu6)
        return 0;
    return activation == Step::leaky_relu ? rounded : approximated;
}

// Where two results differ by more than is allowed, or "".
std::string difference(std::span<const float> ours, std::span<const float> theirs, double tolerance) {
    if (ours.size() != theirs.size())
        return fmt::format("{} and {} elements", ours.size(), theirs.size());
    float most = 0;
    for (const float value : ours)
        most = std::max(most, std::abs(value));
    if (most == 0)
        return "Lamina's result is all zeros";
    for (std::size_t i = 0; i < ours.size(); ++i)
        // Written so that what is not a number differs.
        if (!(std::abs(ours[i] - theirs[i]) <= tolerance * most))
            return fmt::format("element {} of {} is {}, oneDNN's {}", i, ours.size(), ours[i], theirs[i]);
    return "";
}

// Calls of the loaded kernel on the shared data.
class OwnKernel {
public:
    OwnKernel(const LoadedKernel& loaded, const SharedData& data, int threads)
        : kernel_(loaded.call()), views_(data.views()) {
        context_.threads = threads;
    }
    ~OwnKernel() { lamina_context_release(&context_); }
    OwnKernel(const OwnKernel&) = delete;
    OwnKernel& operator=(const OwnKernel&) = delete;

    lamina_code run() {
        return lamina_call(&kernel_, &context_, views_.data(), static_cast<std::int32_t>(views_.size()));
    }
    const char* message() const { return context_.message; }

private:
    const lamina_kernel& kernel_;
    const std::vector<lamina_view>& views_;
    lamina_context context_{};
};

struct Loaded {
    const LoadedKernel& kernel;
    SharedData& data;
    const Problem& problem;
    std::string_view family;
};

// Why the kernels may not be timed, or "".
std::string check(const Loaded& loaded, OwnKernel& own, const Peer& peer) {
    loaded.data.restore();
    if (own.run() != LAMINA_OK)
        return own.message();
    const Operand result = main_result(loaded.problem);
    const std::span<const float> ours(loaded.data.find(result.name),
                                      static_cast<std::size_t>(result.elements()));
    for (const PeerKernel& theirs : peer.kernels)
        if (const std::string what =
                difference(ours, theirs.result(), tolerance(loaded.problem, loaded.family));
            !what.empty())
            return fmt::format("{}: {}", theirs.name, what);
    return "";
}

// The fastest of oneDNN's kernels of a kind.
std::optional<PeerTime> fastest(const Peer& peer, std::span<const DuelTime> times, bool PeerKernel::*kind) {
    std::optional<PeerTime> best;
    for (std::size_t i = 0; i < peer.kernels.size(); ++i)
        if (peer.kernels[i].*kind && (!best || times[i].seconds < best->time.seconds))
            best = {peer.kernels[i].name, times[i]};
    return best;
}

void compare_on(Comparison& comparison, const Loaded& loaded, const CompareConditions& conditions) {
    const Peer peer = make_peer(loaded.problem, loaded.data, comparison.threads, is_winograd(loaded.family));
    comparison.absent = peer.reason;
    if (!comparison.absent.empty())
        return;
    OwnKernel own(loaded.kernel, loaded.data, comparison.threads);
    comparison.error = check(loaded, own, peer);
    if (!comparison.error.empty())
        return;
    std::vector<std::function<void()>> contenders{[&own] { own.run(); }};
    for (const PeerKernel& theirs : peer.kernels)
        contenders.push_back(theirs.run);
    const DuelResult duel = play_duel(contenders, {conditions.target, conditions.seconds, conditions.patience,
                                                   comparison.threads, conditions.watch});
    const std::span<const DuelTime> times(duel.times);
    comparison.peak_gflops = duel.peak_gflops;
    comparison.lamina = times[0];
    comparison.preferred = fastest(peer, times.subspan(1), &PeerKernel::is_preferred);
    comparison.plain = fastest(peer, times.subspan(1), &PeerKernel::is_plain);
}

// What a kernel's scratch may be at most.
double scratch_limit(const Problem& problem) {
    double maps = 0;
    for (const Operand& operand : operands(problem))
        maps += operand.name == "kernel" ? 0 : static_cast<double>(operand.elements());
    return most_scratch_bytes(maps);
}

} // namespace

std::vector<Comparison> compare(const KernelRequest& request, const CompareConditions& conditions) {
    const Problem& problem = request.problem;
    const LoadedKernel kernel = load_kernel(request, conditions.target, conditions.records);
    Comparison all;
    all.problem = to_text(problem).view();
    all.operations = static_cast<double>(operation_count(problem));
    all.error = kernel.error();
    std::optional<SharedData> data;
    std::string family;
    if (all.error.empty()) {
        const Choice& choice = kernel.compiled().choices[0];
        family = choice.family->name;
        all.schedule = to_text(choice.family->name, choice.knobs);
        all.because = choice.reason;
        all.limit = scratch_limit(problem);
        data.emplace(kernel, problem);
        all.error = data->error();
    }
    std::vector<Comparison> comparisons;
    for (const int threads : conditions.threads) {
        Comparison& one = comparisons.emplace_back(all);
        one.threads = threads;
        const CompiledFunction& call = kernel.compiled().call;
        one.scratch =
            static_cast<double>(call.scratch_serial) + static_cast<double>(call.scratch_per_thread) * threads;
        one.group = group_of(problem, family, threads);
        if (one.error.empty())
            compare_on(one, {kernel, *data, problem, family}, conditions);
    }
    return comparisons;
}

} // namespace lamina::versus
