#include "tools/timed_kernel.hpp"

#include "tuner/loaded_kernel.hpp"
#include "tuner/loop_report.hpp"
#include "tuner/operand_data.hpp"

#include <algorithm>

namespace lamina::tools {

namespace {

// Calls whose core was shared are left out; with fewer than these the rest would be no sample.
constexpr std::size_t fewest_calls = 5;
// A neighbour on the core is waited for, up to this many times the seconds that were asked for.
constexpr double patience = 4;

// Calls, and samples of the machine's peak between them: what slows the whole machine slows both.
struct Samples {
    std::vector<WatchedSample> calls; // seconds
    std::vector<WatchedSample> peaks; // GFLOP/s of one core; empty where none can be measured
};

template <class Run>
Samples take_samples(const Run& run, CoreWatch& watch, const TimingConditions& conditions) {
    constexpr double seconds_between_peaks = 0.001;
    Samples samples;
    run();
    watch.look();
    std::size_t alone = 0;
    const double begin = now_seconds();
    for (double now = begin, last_peak = 0;
         samples.calls.empty() || now - begin < conditions.seconds ||
         (alone < fewest_calls && now - begin < patience * conditions.seconds);
         now = now_seconds()) {
        watch.sample_calls(run, samples.calls);
        alone += is_alone(samples.calls.back(), watch.most()) ? 1 : 0;
        if (!conditions.peak || now - last_peak < seconds_between_peaks)
            continue;
        samples.peaks.push_back(watch.sample([&] { return sample_gflops(conditions.target).value_or(0); }));
        last_peak = now_seconds();
    }
    return samples;
}

template <class Run>
void time_calls(TimedKernel& timed, const Run& run, const Problem& problem,
                const TimingConditions& conditions) {
    CoreWatch watch = conditions.watch;
    if (conditions.threads > 1)
        watch.watch_all_cores();
    const Samples samples = take_samples(run, watch, conditions);
    const std::vector<double> alone = undisturbed(samples.calls, watch.most()),
                              calls = undisturbed_or_all(samples.calls, watch.most(), fewest_calls);
    const Quartiles q = quartiles(calls);
    timed.timing = {std::ranges::min(calls), q.median, q.high - q.low, static_cast<int>(samples.calls.size()),
                    alone.size() < fewest_calls
                        ? 0
                        : static_cast<double>(alone.size()) / static_cast<double>(samples.calls.size())};
    const double operations = static_cast<double>(operation_count(problem)) / 1e9;
    timed.gflops = operations / timed.timing.median;
    if (!conditions.peak)
        return;
    const std::vector<double> peaks = undisturbed_or_all(samples.peaks, watch.most(), 1);
    timed.fractions = {timed.gflops / (quartiles(peaks).median * conditions.threads),
                       operations / timed.timing.best / (std::ranges::max(peaks) * conditions.threads),
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
        time_calls(timed, run, request.problem, conditions);
    lamina_context_release(&context);
    return timed;
}

} // namespace lamina::tools
