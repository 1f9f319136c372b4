#include "tools/timed_kernel.hpp"

#include "tuner/loaded_kernel.hpp"
#include "tuner/loop_report.hpp"
#include "tuner/operand_data.hpp"

#include <algorithm>

namespace lamina::tools {

namespace {

constexpr int rounds = 8;

// Calls, and samples of the machine's peak between them: other work on the machine slows both.
struct Samples {
    std::vector<double> calls; // seconds
    std::vector<double> peaks; // GFLOP/s of one core; empty where none can be measured
};

template <class Run>
Samples take_samples(const Run& run, const TargetFacts& target, double seconds) {
    constexpr double seconds_between_peaks = 0.001;
    Samples samples;
    run();
    const double begin = now_seconds();
    for (double now = begin, last_peak = begin; samples.calls.empty() || now - begin < seconds;) {
        run();
        const double end = now_seconds();
        samples.calls.push_back(end - now);
        now = end;
        if (now - last_peak < seconds_between_peaks && samples.calls.size() > 1)
            continue;
        if (const std::optional<double> peak = sample_gflops(target))
            samples.peaks.push_back(*peak);
        now = last_peak = now_seconds();
    }
    return samples;
}

// In rounds, each a ratio of medians, whose median is the result.
template <class Run>
void time_rounds(TimedKernel& timed, const Run& run, const Problem& problem,
                 const TimingConditions& conditions) {
    const double operations = static_cast<double>(operation_count(problem)) / 1e9;
    std::vector<double> fractions, medians;
    double best_peak = 0;
    timed.timing.best = 1e30;
    for (int round = 0; round < rounds; ++round) {
        const Samples samples = take_samples(run, conditions.target, conditions.seconds / rounds);
        medians.push_back(quartiles(samples.calls).median);
        timed.timing.best = std::min(timed.timing.best, std::ranges::min(samples.calls));
        timed.timing.calls += static_cast<int>(samples.calls.size());
        if (samples.peaks.empty())
            continue;
        best_peak = std::max(best_peak, std::ranges::max(samples.peaks) * conditions.threads);
        fractions.push_back(operations / medians.back() /
                            (quartiles(samples.peaks).median * conditions.threads));
    }
    const Quartiles calls = quartiles(medians);
    timed.timing.median = calls.median;
    timed.timing.spread = calls.high - calls.low;
    timed.gflops = operations / timed.timing.median;
    if (conditions.peak)
        timed.fractions = {quartiles(fractions).median, operations / timed.timing.best / best_peak,
                           static_cast<double>(bytes_moved(problem)) / timed.timing.median / 1e9 /
                               conditions.peak->copy_gbytes};
}

} // namespace

TimedKernel time_kernel(const KernelRequest& request, const TimingConditions& conditions) {
    TimedKernel timed;
    timed.problem = to_text(request.problem).view();
    timed.schedule = request.schedule;
    const LoadedKernel loaded = load_kernel(request, conditions.target, conditions.records);
    timed.error = loaded.error();
    if (const std::size_t end = timed.error.find(": "); timed.error.starts_with(timed.problem))
        timed.error.erase(0, end + 2); // the table names the problem above
    if (!timed.error.empty())
        return timed;
    const Choice& choice = loaded.compiled().choices[0];
    timed.schedule = to_text(choice.family->name, choice.knobs);
    timed.reason = choice.reason;
    timed.compile_seconds = loaded.compile_seconds();
    timed.code_bytes = loaded.code_bytes();
    const LoopReport report = inspect(loaded, conditions.target);
    timed.spills = report.spills();
    timed.model_bound = report.bound_fraction();
    timed.scratch_bytes = lamina_scratch_size(&loaded.call(), conditions.threads);
    const OperandData data(loaded, 1);
    lamina_context context{};
    context.threads = conditions.threads;
    const auto count = static_cast<std::int32_t>(data.views().size());
    const auto run = [&] { return lamina_call(&loaded.call(), &context, data.views().data(), count); };
    if (!data.error().empty() || run() != LAMINA_OK)
        timed.error = data.error().empty() ? context.message : data.error();
    else
        time_rounds(timed, run, request.problem, conditions);
    lamina_context_release(&context);
    return timed;
}

} // namespace lamina::tools
