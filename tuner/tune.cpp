#include "tuner/tune.hpp"

#include "generators/temporary_folder.hpp"
#include "schedules/tool_versions.hpp"
#include "tuner/contest.hpp"
#include "tuner/cpu_models.hpp"
#include "tuner/peak.hpp"
#include "tuner/prediction.hpp"
#include "tuner/timing.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <list>
#include <random>
#include <set>

#include <unistd.h>

namespace lamina {

namespace {

constexpr std::size_t finalists = 5; // that meet the incumbent at the end
constexpr double final_share = 0.3;  // of the time, with
constexpr double confirming_share = 0.1;
constexpr int fewest_final_rounds = 7, most_final_rounds = 41;
constexpr double least_gain = 0.01; // below, a record is not worth its line
constexpr double hopeless = 1.15;   // after two rounds
constexpr int screening_rounds = 5;

struct Contender {
    Point point;
    std::unique_ptr<ReadyKernel> kernel;
    double ratio = 1;
};

struct Running {
    Point point;
    std::size_t number;
    ChildTask task;
};

class Search {
public:
    Search(const Problem& problem, const TuningOptions& options)
        : options_(options), situation_{problem, options.target}, random_(options.seed) {}

    TuningResult run();

private:
    const TuningOptions& options_;
    Situation situation_;
    std::mt19937_64 random_;
    TemporaryFolder folder_;
    PinnedCore pinned_;
    CoreWatch watch_;
    double start_ = now_seconds();
    std::deque<Point> waiting_; // in the strategy's order
    std::vector<Point> near_;   // neighbours of the best, worst first
    std::set<std::string> started_;
    std::list<Running> running_;
    std::vector<Contender> contenders_; // [0] is the incumbent, the others by their ratio
    ExpectedOutputs expected_;
    std::vector<WatchedSample> peaks_;  // GFLOP/s, beside the last rounds
    std::size_t begun_ = 0, limit_ = 0; // trials
    TuningResult result_;

    std::string default_;      // schedule
    double default_ratio_ = 0; // of its time to the incumbent's, 0 where it was not timed

    std::string begin();
    bool is_over(double share) const;
    std::optional<Point> next_point();
    void start_tasks();
    void take_result(Running& running);
    double screened(ReadyKernel& kernel);
    void enter(Contender contender);
    void play(Contest& contest, double share);
    void decide();
    void report() const;
};

std::string Search::begin() {
    const Choice choice = choose_schedule(situation_, "", options_.records);
    if (!choice.error.empty())
        return choice.error;
    result_.incumbent = to_text(choice.family->name, choice.knobs);
    result_.incumbent_reason = choice.reason;
    result_.best.problem = to_text(situation_.problem).view();
    const Point point{choice.family, choice.knobs, 0};
    ChildTask task = start_candidate(situation_, point, folder_.path(), {}, {});
    task.wait();
    auto kernel =
        std::make_unique<ReadyKernel>(finish_candidate(situation_, point, task), *situation_.target);
    if (!kernel->error().empty())
        return fmt::format("{}: {}", result_.incumbent, kernel->error());
    expected_ = kernel->outputs();
    contenders_.push_back({point, std::move(kernel), 1});
    started_.insert(result_.incumbent);

    std::vector<Point> space = search_space(situation_);
    result_.space = space.size();
    if (options_.strategy == Strategy::random)
        std::shuffle(space.begin(), space.end(), random_);
    waiting_.assign(space.begin(), space.end());
    // The default is worth a trial where a record is the incumbent.
    const Choice usual = choose_schedule(situation_, "", "");
    waiting_.push_front({usual.family, usual.knobs, 0});
    default_ = to_text(usual.family->name, usual.knobs);
    default_ratio_ = default_ == result_.incumbent ? 1 : 0;
    limit_ = options_.points > 0                         ? options_.points
             : options_.strategy == Strategy::exhaustive ? space.size()
                                                         : std::max<std::size_t>(24, space.size() / 10);
    limit_ = std::min(limit_, space.size());
    if (options_.strategy == Strategy::guided)
        near_ = neighbours(situation_, point);
    return "";
}

bool Search::is_over(double share) const {
    return (options_.stop && *options_.stop) || now_seconds() - start_ > share * options_.seconds;
}

// Alternates between the surroundings of the best and the cheapest by the models.
std::optional<Point> Search::next_point() {
    const bool looks_around = result_.trials.size() % 2 == 1;
    while (!near_.empty() && (looks_around || waiting_.empty())) {
        Point point = std::move(near_.back());
        near_.pop_back();
        if (started_.insert(to_text(point.family->name, point.knobs)).second)
            return point;
    }
    while (!waiting_.empty()) {
        Point point = std::move(waiting_.front());
        waiting_.pop_front();
        if (started_.insert(to_text(point.family->name, point.knobs)).second)
            return point;
    }
    return {};
}

void Search::start_tasks() {
    while (running_.size() < std::max<std::size_t>(pinned_.others().size(), 1) && begun_ < limit_) {
        const std::optional<Point> point = next_point();
        if (!point)
            return;
        const std::size_t number = begun_++;
        const std::string folder = fmt::format("{}/{}", folder_.path(), number);
        std::error_code error;
        std::filesystem::create_directory(folder, error);
        running_.push_back(
            {*point, number, start_candidate(situation_, *point, folder, expected_, pinned_.others())});
    }
}

// The candidate's time relative to the incumbent's; stops early where there is no hope.
double Search::screened(ReadyKernel& kernel) {
    Contest contest({contenders_[0].kernel.get(), &kernel}, watch_);
    for (int round = 0; round < screening_rounds && !is_over(1); ++round) {
        contest.play_round(0.004);
        if (round == 1 && contest.standing(1).ratio > hopeless * contenders_.back().ratio)
            break;
    }
    return contest.standing(1).rounds > 0 ? contest.standing(1).ratio : 1;
}

void Search::enter(Contender contender) {
    if (contenders_.size() == 1 || contender.ratio < contenders_[1].ratio)
        if (options_.strategy == Strategy::guided && contender.ratio < 1) {
            near_ = neighbours(situation_, contender.point);
            std::reverse(near_.begin(), near_.end());
        }
    const auto place =
        std::upper_bound(contenders_.begin() + 1, contenders_.end(), contender,
                         [](const Contender& a, const Contender& b) { return a.ratio < b.ratio; });
    contenders_.insert(place, std::move(contender));
    if (contenders_.size() > finalists + 1)
        contenders_.pop_back();
}

void Search::take_result(Running& running) {
    Trial trial{to_text(running.point.family->name, running.point.knobs), running.point.cost, 0, 0, ""};
    CompiledKernel compiled = finish_candidate(situation_, running.point, running.task);
    auto kernel = std::make_unique<ReadyKernel>(std::move(compiled), *situation_.target);
    trial.error = kernel->error();
    if (trial.error.empty()) {
        trial.predicted_cycles =
            predicted_cycles(situation_, running.point, inspect(kernel->loaded(), *situation_.target))
                .value_or(0);
        trial.ratio = screened(*kernel);
        if (trial.schedule == default_)
            default_ratio_ = trial.ratio;
        if (trial.ratio > 0)
            enter({running.point, std::move(kernel), trial.ratio});
    }
    std::error_code ignored;
    std::filesystem::remove_all(fmt::format("{}/{}", folder_.path(), running.number), ignored);
    result_.trials.push_back(std::move(trial));
}

void Search::report() const {
    if (!options_.on_progress)
        return;
    const Contender& best =
        contenders_.size() > 1 && contenders_[1].ratio < 1 ? contenders_[1] : contenders_[0];
    options_.on_progress({result_.trials.size(), limit_, to_text(best.point.family->name, best.point.knobs),
                          best.ratio, std::max(0.0, options_.seconds - (now_seconds() - start_))});
}

// One contest after another: each plays its rounds until `share` of the time is over.
void Search::play(Contest& contest, double share) {
    for (int round = 0; round < most_final_rounds; ++round) {
        if (round >= fewest_final_rounds && is_over(share))
            break;
        contest.play_round(0.02);
        peaks_.push_back(watch_.sample([&] { return sample_gflops(*situation_.target).value_or(0); }));
        report();
    }
}

// The incumbent against the best few. The quickest of several that are equal is one that was lucky, so that
// what counts is a second contest of the winner and the incumbent alone; a new record wins it by more than
// three rounds of four could vary.
void Search::decide() {
    std::vector<ReadyKernel*> kernels;
    for (const Contender& contender : contenders_)
        kernels.push_back(contender.kernel.get());
    Contest finals(kernels, watch_);
    play(finals, 1 - confirming_share);
    std::size_t winner = 0;
    for (std::size_t i = 1; i < kernels.size(); ++i)
        if (finals.standing(i).ratio < finals.standing(winner).ratio)
            winner = i;
    Contest confirmation({kernels[0], kernels[winner]}, watch_);
    if (winner != 0)
        play(confirmation, 1);
    const Contest& last = winner != 0 ? confirmation : finals;
    const Standing standing = last.standing(winner != 0 ? 1 : 0);
    result_.ratio = standing.ratio;
    result_.noise = (standing.high - standing.low) / 2;
    result_.is_better = winner != 0 && standing.ratio + result_.noise < 1 && standing.ratio < 1 - least_gain;
    const Point& point = contenders_[result_.is_better ? winner : 0].point;
    const double seconds = last.standing(result_.is_better ? 1 : 0).median_seconds;
    Evidence& evidence = result_.best.evidence;
    result_.best.schedule = to_text(point.family->name, point.knobs);
    evidence.gflops = static_cast<double>(operation_count(situation_.problem)) / seconds / 1e9;
    evidence.fraction_of_peak =
        evidence.gflops / quartiles(undisturbed_or_all(peaks_, watch_.most(), 1)).median;
    evidence.over_default = default_ratio_ / (result_.is_better ? standing.ratio : 1);
    evidence.cpu = host_cpu();
    evidence.versions = tool_versions();
    evidence.date = fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::time(nullptr)));
    evidence.by = "lamina tune";
}

TuningResult Search::run() {
    result_.error = folder_.error().empty() ? begin() : folder_.error();
    if (!result_.error.empty())
        return std::move(result_);
    while (!is_over(1 - final_share)) {
        start_tasks();
        if (running_.empty())
            break;
        bool has_result = false;
        for (auto running = running_.begin(); running != running_.end();) {
            if (!running->task.is_done()) {
                ++running;
                continue;
            }
            Running done = std::move(*running);
            running = running_.erase(running);
            start_tasks();
            take_result(done);
            has_result = true;
            report();
        }
        if (!has_result)
            usleep(2000);
    }
    running_.clear();
    decide();
    return std::move(result_);
}

} // namespace

TuningResult tune(const Problem& problem, const TuningOptions& options) {
    return Search(problem, options).run();
}

} // namespace lamina
