#include "tuner/prediction.hpp"

#include "generators/temporary_folder.hpp"
#include "schedules/tool_versions.hpp"
#include "tuner/timing.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <list>
#include <thread>

#include <unistd.h>

namespace lamina {

namespace {

constexpr std::string_view predicted_by = "lamina tune, predicted";
constexpr double least_gain = 0.01; // below, a record is not worth its line
constexpr double seconds_to_compile = 60;

// Multiply-adds of an image by the operator's definition.
double defined_multiply_adds(const Problem& problem) {
    return static_cast<double>(operation_count(problem)) / 2 / std::max(as_convolution(problem).in.batch, 1);
}

double peak_cycles(const Situation& situation, double multiply_adds) {
    return multiply_adds / (situation.target->lanes() * situation.target->fma_per_cycle);
}

struct Compiling {
    Point point;
    std::string folder;
    ChildTask task;
};

// A point, and what the models say of it.
struct Predicted {
    Point point;
    CompiledKernel kernel;
    std::optional<double> cycles;
};

class PredictedSearch {
public:
    PredictedSearch(const Problem& problem, const PredictionOptions& options)
        : options_(options), situation_{problem, options.target} {}

    TuningResult run();

private:
    const PredictionOptions& options_;
    Situation situation_;
    TemporaryFolder folder_;
    double start_ = now_seconds();
    std::deque<Point> waiting_;
    std::list<Compiling> running_;
    std::size_t begun_ = 0, limit_ = 0;
    Predicted incumbent_;
    std::vector<Predicted> candidates_; // with a prediction
    TuningResult result_;

    bool is_over() const {
        return (options_.stop && *options_.stop) || now_seconds() - start_ > options_.seconds;
    }
    Compiling compile(const Point& point);
    Predicted take(Compiling& done);
    std::string begin();
    void start_tasks();
    void collect();
    void report() const;
    void decide();
};

Compiling PredictedSearch::compile(const Point& point) {
    const std::string folder = fmt::format("{}/{}", folder_.path(), begun_++);
    std::error_code ignored;
    std::filesystem::create_directory(folder, ignored);
    return {point, folder, start_candidate(situation_, point, folder, {}, {})};
}

Predicted PredictedSearch::take(Compiling& done) {
    Predicted predicted{done.point, finish_candidate(situation_, done.point, done.task), {}};
    if (predicted.kernel.error.empty())
        predicted.cycles = predicted_cycles(situation_, done.point,
                                            inspect(predicted.kernel, *options_.target, options_.cpu));
    return predicted;
}

std::string PredictedSearch::begin() {
    const Choice choice = choose_schedule(situation_, "", options_.records);
    if (!choice.error.empty())
        return choice.error;
    const CpuChoice cpu = choose_cpu(*options_.target, options_.cpu);
    if (!cpu.error.empty())
        return cpu.error;
    result_.incumbent = to_text(choice.family->name, choice.knobs);
    result_.incumbent_reason = choice.reason;
    result_.best.problem = to_text(situation_.problem).view();
    result_.best.evidence.cpu = cpu.name;
    std::vector<Point> space = search_space(situation_);
    result_.space = space.size();
    limit_ = std::min(space.size(),
                      options_.points > 0 ? options_.points : std::max<std::size_t>(24, space.size() / 10));
    Point own{choice.family, choice.knobs, 0};
    for (Point& point : space) {
        if (to_text(point.family->name, point.knobs) == result_.incumbent)
            own.cost = point.cost;
        else if (waiting_.size() < limit_)
            waiting_.push_back(std::move(point));
    }
    Compiling compiling = compile(own);
    compiling.task.wait();
    incumbent_ = take(compiling);
    if (!incumbent_.kernel.error.empty())
        return fmt::format("{}: {}", result_.incumbent, incumbent_.kernel.error);
    return incumbent_.cycles ? "" : "no model says how long its kernels take";
}

void PredictedSearch::start_tasks() {
    while (running_.size() < std::max(std::thread::hardware_concurrency(), 1U) && !waiting_.empty()) {
        running_.push_back(compile(waiting_.front()));
        waiting_.pop_front();
    }
}

void PredictedSearch::collect() {
    for (auto running = running_.begin(); running != running_.end();) {
        if (!running->task.is_done()) {
            ++running;
            continue;
        }
        Predicted predicted = take(*running);
        const double cycles = predicted.cycles.value_or(0);
        result_.trials.push_back({to_text(predicted.point.family->name, predicted.point.knobs),
                                  predicted.point.cost, cycles, cycles / *incumbent_.cycles,
                                  predicted.kernel.error});
        if (predicted.cycles)
            candidates_.push_back(std::move(predicted));
        running = running_.erase(running);
        report();
    }
}

void PredictedSearch::report() const {
    if (!options_.on_progress)
        return;
    const Predicted* best = &incumbent_;
    for (const Predicted& candidate : candidates_)
        if (*candidate.cycles < *best->cycles)
            best = &candidate;
    options_.on_progress({result_.trials.size(), limit_, to_text(best->point.family->name, best->point.knobs),
                          *best->cycles / *incumbent_.cycles,
                          std::max(0.0, options_.seconds - (now_seconds() - start_))});
}

// The quickest that computes the right thing, where it is worth a record.
void PredictedSearch::decide() {
    std::ranges::stable_sort(candidates_, {}, [](const Predicted& p) { return *p.cycles; });
    const Predicted* best = &incumbent_;
    for (const Predicted& candidate : candidates_) {
        if (*candidate.cycles > (1 - least_gain) * *incumbent_.cycles)
            break;
        const std::string wrong = options_.why_wrong ? options_.why_wrong(candidate.kernel) : "";
        if (wrong.empty()) {
            best = &candidate;
            break;
        }
        const std::string schedule = to_text(candidate.point.family->name, candidate.point.knobs);
        std::ranges::find(result_.trials, schedule, &Trial::schedule)->error = wrong;
    }
    result_.is_better = best != &incumbent_;
    result_.ratio = *best->cycles / *incumbent_.cycles;
    result_.best.schedule = to_text(best->point.family->name, best->point.knobs);
    Evidence& evidence = result_.best.evidence;
    evidence.fraction_of_peak =
        peak_cycles(situation_, defined_multiply_adds(situation_.problem)) / *best->cycles;
    evidence.over_default = 1 / result_.ratio;
    evidence.versions = tool_versions();
    evidence.date = fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::time(nullptr)));
    evidence.by = predicted_by;
}

TuningResult PredictedSearch::run() {
    result_.error = folder_.error().empty() ? begin() : folder_.error();
    if (!result_.error.empty())
        return std::move(result_);
    while (!is_over()) {
        start_tasks();
        if (running_.empty())
            break;
        collect();
        usleep(2000);
    }
    running_.clear();
    decide();
    return std::move(result_);
}

} // namespace

std::optional<double> predicted_cycles(const Situation& situation, const Point& point,
                                       const LoopReport& report) {
    const std::optional<double> fraction = report.bound_fraction();
    if (!fraction && point.cost <= 0)
        return {};
    const double multiply_adds = point.family->multiply_adds
                                     ? point.family->multiply_adds(situation, point.knobs)
                                     : defined_multiply_adds(situation.problem);
    return std::max(point.cost, fraction ? peak_cycles(situation, multiply_adds) / *fraction : 0);
}

TuningResult predict(const Problem& problem, const PredictionOptions& options) {
    return PredictedSearch(problem, options).run();
}

bool is_predicted(const Evidence& evidence) {
    return evidence.by == predicted_by;
}

} // namespace lamina
