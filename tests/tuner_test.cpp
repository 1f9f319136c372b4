#include "tests/support/small_disk.hpp"
#include "tests/support/test_folder.hpp"
#include "tuner/child_task.hpp"
#include "tuner/journal.hpp"
#include "tuner/record_store.hpp"
#include "tuner/search_space.hpp"
#include "tuner/timing.hpp"
#include "tuner/tune.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <fstream>
#include <set>
#include <sstream>

#include <sys/wait.h>
#include <unistd.h>

using namespace lamina;
using namespace lamina::testing;

namespace {

const TargetFacts& avx2 = *find_target("x86-64-linux-avx2");

Problem parsed(std::string_view text) {
    const ParsedProblem parsed = parse_problem(text);
    REQUIRE(parsed.error.view() == "");
    return parsed.problem;
}

const char* const small = "cross_correlation in=1x8x8x16 out_channels=16 kernel_size=3x3 padding=same "
                          "algorithm=exact";

Record record_of(int width, double fraction, const std::string& schedule = "generic") {
    const std::string problem =
        fmt::format("cross_correlation in=1x{0}x{0}x16 out_channels=16 kernel_size=3x3 padding=same", width);
    return {std::string(to_text(parsed(problem)).view()),
            schedule,
            {50, fraction, 1.25, "some", "Halide", "2024-01-01", "test"}};
}

std::string text_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

} // namespace

TEST_CASE("A child that ends without a result gives its last words as the reason", "[tuner]") {
    ChildTask task(
        []() -> std::string {
            for (int line = 0; line < 100'000; ++line)
                fmt::print(stderr, "line {}\n", line);
            std::_Exit(1);
        },
        60);
    task.wait();
    CHECK_THAT(task.error(), Catch::StartsWith("ended without a result: ") && Catch::Contains(" line "));
    CHECK(task.error().size() < 500);
    ChildTask silent([]() -> std::string { std::_Exit(1); }, 60);
    silent.wait();
    CHECK(silent.error() == "ended without a result");
}

TEST_CASE("A child's text comes back whole, whatever its size", "[tuner]") {
    const std::string long_text(1 << 20, 'x');
    ChildTask task([&] { return long_text; }, 60);
    task.wait();
    CHECK(task.error() == "");
    CHECK(task.text() == long_text);
}

TEST_CASE("A child that dies, hangs or says nothing is an error, not more", "[tuner]") {
    ChildTask crash(
        []() -> std::string {
            std::raise(SIGSEGV);
            return "no";
        },
        60);
    ChildTask abortion([]() -> std::string { std::abort(); }, 60);
    ChildTask silent([]() -> std::string { _exit(0); }, 60);
    ChildTask endless(
        []() -> std::string {
            for (;;)
                usleep(1000);
        },
        0.2);
    for (ChildTask* task : {&crash, &abortion, &silent, &endless}) {
        task->wait();
        CHECK(task->text() == "");
    }
    CHECK_THAT(crash.error(), Catch::Contains("signal 11"));
    CHECK_THAT(abortion.error(), Catch::Contains("signal 6"));
    CHECK_THAT(silent.error(), Catch::Contains("without a result"));
    CHECK_THAT(endless.error(), Catch::Contains("longer than"));
}

TEST_CASE("The search space is legal, without repetition, and cheapest first", "[tuner]") {
    const Situation situation{parsed(small), &avx2};
    const std::vector<Point> space = search_space(situation);
    std::set<std::string> texts;
    double last = 0;
    for (const Point& point : space) {
        CHECK(why_illegal(*point.family, situation, point.knobs) == "");
        CHECK(texts.insert(to_text(point.family->name, point.knobs)).second);
        if (point.family->cost) {
            CHECK(point.cost >= last);
            last = point.cost;
        }
    }
    CHECK(texts.contains("generic"));
    const Knobs usual = direct_family.defaults(situation, {});
    CHECK(texts.contains(to_text("direct", usual)));
    CHECK(direct_family.cost(situation, usual) < 1.1 * space.front().cost);
}

TEST_CASE("Neighbours differ in one knob and are legal", "[tuner]") {
    const Situation situation{parsed(small), &avx2};
    const Point from{&direct_family, direct_family.defaults(situation, {}), 0};
    const std::vector<Point> points = neighbours(situation, from);
    CHECK(points.size() >= direct_family.knobs.size());
    for (const Point& point : points) {
        CHECK(why_illegal(direct_family, situation, point.knobs) == "");
        int differences = 0;
        for (const Knob& knob : direct_family.knobs)
            differences += point.knobs.get(knob.name) != from.knobs.get(knob.name);
        CHECK(differences == 1);
    }
}

TEST_CASE("Wrong results are told from right ones", "[tuner]") {
    const ExpectedOutputs expected{{{1, 1000, -3}}};
    CHECK(why_different({{{1, 1000, -3}}}, expected) == "");
    CHECK(why_different({{{1, 1000.01F, -3}}}, expected) == "");
    CHECK_THAT(why_different({{{2, 1000, -3}}}, expected), Catch::Contains("off by 1"));
    CHECK_THAT(why_different({{{NAN, 1000, -3}}}, expected), Catch::Contains("wrong results"));
}

TEST_CASE("Tuning beats a bad record, keeps a verified winner and says how", "[tuner]") {
    const TestFolder folder;
    std::ofstream(records_path(folder.path(), avx2))
        << fmt::format(R"([{{"problem": "{}", "schedule": "generic", "evidence": {{}}}}])", small);
    TuningOptions options;
    options.target = &avx2;
    options.records = folder.path();
    options.seconds = 20;
    options.points = 4;
    if (!can_run_here(avx2)) {
        WARN("skipped: this machine cannot run " << avx2.name);
        return;
    }
    std::size_t reports = 0;
    options.on_progress = [&](const TuningState& state) {
        CHECK(state.tried <= state.limit);
        ++reports;
    };
    const TuningResult result = tune(parsed(small), options);
    REQUIRE(result.error == "");
    CHECK(reports > 0);
    CHECK(result.incumbent == "generic");
    CHECK(result.is_better);
    CHECK(result.ratio < 1);
    CHECK_THAT(result.best.schedule, Catch::StartsWith("direct,"));
    CHECK(result.trials.size() == 4);
    for (const Trial& trial : result.trials)
        CHECK(trial.error == "");
    CHECK(result.best.evidence.over_default > 0);
}

TEST_CASE("A stopped search ends soon and keeps what it has", "[tuner]") {
    if (!can_run_here(avx2)) {
        WARN("skipped: this machine cannot run " << avx2.name);
        return;
    }
    std::atomic<bool> stop = true;
    TuningOptions options;
    options.target = &avx2;
    options.seconds = 1000;
    options.stop = &stop;
    const TuningResult result = tune(parsed(small), options);
    CHECK(result.error == "");
    CHECK(result.trials.empty());
    CHECK_FALSE(result.is_better);
}

TEST_CASE("A records file is sorted, stable under rewrite, and keeps what it cannot read", "[records]") {
    const TestFolder folder;
    const std::string path = records_path(folder.path(), avx2);
    std::ofstream(path)
        << R"([{"problem": "later_operator in=1x1x1x1", "schedule": "magic", "extra": [1, 2]}, 7])";
    for (const int width : {9, 20, 10})
        CHECK(store_record(folder.path(), avx2, record_of(width, 0.5), "") == "");
    const std::string text = text_of(path);
    CHECK_THAT(text, Catch::Contains("later_operator") && Catch::Contains("\"extra\": [1,2]"));
    const RecordFile file = load_records(path);
    REQUIRE(file.records.size() == 3);
    CHECK(std::is_sorted(file.records.begin(), file.records.end(),
                         [](const Record& a, const Record& b) { return a.problem < b.problem; }));
    CHECK(file.records[0].evidence.over_default == 1.25);
    CHECK(store_record(folder.path(), avx2, record_of(9, 0.5), "generic") == "");
    CHECK(text_of(path) == text);
}

TEST_CASE("Of two tuners' records for one problem the better one stays", "[records]") {
    const TestFolder folder;
    const std::string path = records_path(folder.path(), avx2);
    CHECK(store_record(folder.path(), avx2, record_of(9, 0.8, "direct,positions:2"), "generic") == "");
    CHECK(store_record(folder.path(), avx2, record_of(9, 0.7, "direct,positions:3"), "generic") == "");
    CHECK(load_records(path).records[0].schedule == "direct,positions:2");
    CHECK(store_record(folder.path(), avx2, record_of(9, 0.7, "direct,positions:3"), "direct,positions:2") ==
          "");
    CHECK(load_records(path).records[0].schedule == "direct,positions:3");
}

TEST_CASE("A record of another Halide stays until there is a new one of its problem", "[records]") {
    const TestFolder folder;
    const std::string path = records_path(folder.path(), avx2);
    Record old = record_of(9, 0.9, "direct,positions:2");
    old.evidence.versions = "Halide 1.0.0";
    REQUIRE(store_record(folder.path(), avx2, old, "") == "");
    CHECK(store_record(folder.path(), avx2, record_of(10, 0.5), "") == "");
    CHECK_THAT(text_of(path), Catch::Contains("Halide 1.0.0"));
    INFO("its fraction of the peak, which is higher, says nothing here");
    CHECK(store_record(folder.path(), avx2, record_of(9, 0.5), "") == "");
    const RecordFile file = load_records(path);
    CHECK(file.warnings().empty());
    REQUIRE(file.records.size() == 2);
    CHECK(file.records[1].schedule == "generic");
}

TEST_CASE("What is no records file stays as it is", "[records]") {
    const TestFolder folder;
    const std::string path = records_path(folder.path(), avx2);
    for (const std::string text : {"{}", "[1", ""}) {
        std::ofstream(path, std::ios::trunc) << text;
        CHECK_THAT(store_record(folder.path(), avx2, record_of(9, 0.5), ""), Catch::StartsWith(path));
        CHECK(text_of(path) == text);
    }
}

TEST_CASE("On a full disk records and journal stay as they are, and the file and the reason are named",
          "[records]") {
    const TestFolder folder;
    const std::string path = records_path(folder.path(), avx2);
    const Journal journal(folder.path(), avx2);
    REQUIRE(store_record(folder.path(), avx2, record_of(9, 0.5), "") == "");
    REQUIRE(journal.add(parsed(record_of(9, 0.5).problem)) == "");
    const std::string text = text_of(path);
    std::string record_error, journal_error;
    {
        const SmallDisk disk(100);
        record_error = store_record(folder.path(), avx2, record_of(10, 0.5), "");
        journal_error = journal.add(parsed(record_of(10, 0.5).problem));
    }
    CHECK(record_error == path + ": cannot write: File too large");
    CHECK_THAT(journal_error,
               Catch::StartsWith(folder.path()) && Catch::EndsWith(".tuned: cannot write: File too large"));
    CHECK(text_of(path) == text);
    CHECK(journal.holds(parsed(record_of(9, 0.5).problem)));
    CHECK_FALSE(journal.holds(parsed(record_of(10, 0.5).problem)));
    CHECK(folder.names().size() == 2);
}

TEST_CASE("Storing a record removes what a killed tuner left half written", "[records]") {
    const TestFolder folder;
    const pid_t gone = fork();
    if (gone == 0)
        _exit(0);
    waitpid(gone, nullptr, 0);
    std::ofstream(folder / fmt::format(".lamina-{}-3.tmp", gone)) << "[";
    std::ofstream(folder / fmt::format(".lamina-{}-3.tmp", getpid())) << "[";
    CHECK(store_record(folder.path(), avx2, record_of(9, 0.5), "") == "");
    INFO("a living process's stays");
    CHECK(folder.names().size() == 2);
}

TEST_CASE("Tuners that store at the same time lose nothing", "[records]") {
    const TestFolder folder;
    constexpr int writers = 4, each = 8;
    for (int writer = 0; writer < writers; ++writer)
        if (fork() == 0) {
            bool is_stored = true;
            for (int i = 0; i < each; ++i)
                is_stored &=
                    store_record(folder.path(), avx2, record_of(5 + writer * each + i, 0.5), "").empty();
            _exit(is_stored ? 0 : 1);
        }
    for (int writer = 0; writer < writers; ++writer) {
        int status = 1;
        wait(&status);
        CHECK(status == 0);
    }
    CHECK(load_records(records_path(folder.path(), avx2)).records.size() == writers * each);
}

TEST_CASE("A writer that is killed leaves the old records or the new ones", "[records]") {
    const TestFolder folder;
    const std::string path = records_path(folder.path(), avx2);
    REQUIRE(store_record(folder.path(), avx2, record_of(5, 0.5), "") == "");
    std::size_t least = 1;
    for (int kill_number = 0; kill_number < 20; ++kill_number) {
        const pid_t writer = fork();
        if (writer == 0)
            for (int width = 6;; width = width < 200 ? width + 1 : 6)
                (void)store_record(folder.path(), avx2, record_of(width, 0.5), "generic");
        usleep(static_cast<useconds_t>(20'000 + 1'700 * kill_number));
        kill(writer, SIGKILL);
        int status = 0;
        waitpid(writer, &status, 0);
        const RecordFile file = load_records(path);
        CHECK(file.warnings().empty());
        CHECK(file.records.size() >= least);
        least = file.records.size();
    }
    CHECK(least > 5);
}
