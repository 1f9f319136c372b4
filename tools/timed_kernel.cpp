#include "tools/timed_kernel.hpp"

#include "tuner/loaded_kernel.hpp"
#include "tuner/operand_data.hpp"

#include <algorithm>

namespace lamina::tools {

namespace {

constexpr int rounds = 8;

// Times the calls in rounds, each beside the peak that the machine shows at that moment: other work on the
// machine slows both.
template <class Run>
void time_rounds(TimedKernel& timed, const Run& run, const Problem& problem,
                 const TimingConditions& conditions) {
    const double operations = static_cast<double>(operation_count(problem)) / 1e9;
    std::vector<double> fractions, medians;
    double best_peak = 0;
    timed.timing.best = 1e30;
    for (int round = 0; round < rounds; ++round) {
        const double peak = measure_gflops(conditions.target).value_or(0) * conditions.threads;
        const Timing timing = time_calls(run, conditions.seconds / rounds);
        fractions.push_back(peak > 0 ? operations / timing.median / peak : 0);
        medians.push_back(timing.median);
        timed.timing.best = std::min(timed.timing.best, timing.best);
        timed.timing.calls += timing.calls;
        best_peak = std::max(best_peak, peak);
    }
    std::sort(fractions.begin(), fractions.end());
    std::sort(medians.begin(), medians.end());
    timed.timing.median = medians[rounds / 2];
    timed.timing.spread = medians[rounds * 3 / 4] - medians[rounds / 4];
    timed.gflops = operations / timed.timing.median;
    if (conditions.peak)
        timed.fractions = {fractions[rounds / 2], operations / timed.timing.best / best_peak,
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
    if (!timed.error.empty())
        return timed;
    const Choice& choice = loaded.compiled().choices[0];
    timed.schedule = to_text(choice.family->name, choice.knobs);
    timed.reason = choice.reason;
    timed.compile_seconds = loaded.compile_seconds();
    timed.code_bytes = loaded.code_bytes();
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
