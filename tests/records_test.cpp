#include "schedules/choice.hpp"
#include "schedules/records.hpp"
#include "schedules/tool_versions.hpp"
#include "tests/fuzz/any_records.hpp"
#include "tests/support/test_folder.hpp"

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace lamina;
using namespace lamina::testing;

namespace {

// A folder of records that goes with the test.
class RecordsFolder {
public:
    const std::string& path() const { return folder_.path(); }
    void write(const TargetFacts& target, const std::string& text) const {
        std::ofstream(records_path(path(), target)) << text;
    }

private:
    TestFolder folder_;
};

const TargetFacts& avx2 = *find_target("x86-64-linux-avx2");

Problem parsed(std::string_view text) {
    const ParsedProblem parsed = parse_problem(text);
    REQUIRE(parsed.error.view() == "");
    return parsed.problem;
}

std::string entry(std::string_view problem, std::string_view schedule, std::string_view versions = "any") {
    return fmt::format(
        R"({{"problem": "{}", "schedule": "{}", "evidence": {{"gflops": 50.5, "fraction_of_peak": )"
        R"(0.8, "cpu": "any", "versions": "{}", "date": "2024-01-01", "by": "hand"}}}})",
        problem, schedule, versions);
}

std::string keys(int width, std::string_view batch = "1") {
    return fmt::format(
        "cross_correlation in={1}x{0}x{0}x32 out_channels=32 kernel_size=3 padding=same algorithm=exact",
        width, batch);
}

// A legal schedule for maps of up to 18 rows, told from others by its positions.
std::string schedule_with(int positions) {
    return fmt::format("direct,vectors:1,positions:{},strip:1,unroll:1", positions);
}

struct Chosen {
    int positions;
    std::string schedule, reason;
};

Chosen chosen(std::string_view problem, const std::string& given, const RecordsFolder& folder) {
    const Choice choice = choose_schedule({parsed(problem), &avx2}, given, folder.path());
    REQUIRE(choice.error == "");
    return {choice.knobs.get("positions"), to_text(choice.family->name, choice.knobs), choice.reason};
}

} // namespace

TEST_CASE("A schedule is looked up as given, own record, nearest record, default", "[records]") {
    const RecordsFolder folder;
    const std::string own = entry(keys(14), schedule_with(2)), near = entry(keys(16), schedule_with(3)),
                      far = entry(keys(18), schedule_with(1));
    CHECK_THAT(chosen(keys(14), "", folder).reason, Catch::Contains("default"));

    folder.write(avx2, fmt::format("[{},\n{}]", far, near));
    CHECK(chosen(keys(14), "", folder).positions == 3);
    CHECK_THAT(chosen(keys(14), "", folder).reason,
               Catch::Contains("nearest") && Catch::Contains("16x16x32"));

    folder.write(avx2, fmt::format("[{},\n{},\n{}]", far, near, own));
    CHECK(chosen(keys(14), "", folder).positions == 2);
    CHECK_THAT(chosen(keys(14), "", folder).reason, Catch::Contains("record of this problem"));

    CHECK(chosen(keys(14), schedule_with(4), folder).positions == 4);
    CHECK_THAT(chosen(keys(14), schedule_with(4), folder).reason, Catch::Contains("given"));
    CHECK_THAT(chosen(keys(200), "", folder).reason, Catch::Contains("default"));
}

TEST_CASE("A record is near to a few images more or less, and to an open batch if it is of one",
          "[records]") {
    const RecordsFolder folder;
    folder.write(avx2, fmt::format("[{}]", entry(keys(14), schedule_with(2))));
    CHECK_THAT(chosen(keys(14, "2"), "", folder).reason, Catch::Contains("nearest"));
    CHECK_THAT(chosen(keys(14, "?"), "", folder).reason, Catch::Contains("nearest"));
    CHECK_THAT(chosen(keys(14, "8"), "", folder).reason, Catch::Contains("default"));
    CHECK_THAT(chosen(keys(16, "2"), "", folder).reason, Catch::Contains("default"));
}

TEST_CASE("A nearest record that is not legal here gives way to the next", "[records]") {
    const RecordsFolder folder;
    folder.write(avx2, fmt::format("[{},\n{}]", entry(keys(16), "direct,vectors:1,positions:2,strip:16"),
                                   entry(keys(18), schedule_with(3))));
    INFO("16 does not divide 14 rows");
    CHECK(chosen(keys(14), "", folder).positions == 3);
}

TEST_CASE("A nearest record of another family than the default's gives way to the default", "[records]") {
    const RecordsFolder folder;
    const std::string layer = "cross_correlation in=1x{0}x{0}x64 out_channels=64 kernel_size=3 padding=same";
    const auto at = [&](int width) { return fmt::format(fmt::runtime(layer), width); };
    folder.write(avx2, fmt::format("[{},\n{}]", entry(at(56), "direct,vectors:1"),
                                   entry(at(60), "winograd,outputs:2,vectors:1")));
    CHECK_THAT(chosen(at(56), "", folder).schedule, Catch::StartsWith("direct,vectors:1"));
    CHECK_THAT(chosen(at(58), "", folder).schedule, Catch::StartsWith("winograd,outputs:2,vectors:1"));
}

TEST_CASE("Records of another window, operator or target are not near", "[records]") {
    const RecordsFolder folder;
    const std::string schedule = "direct,vectors:1,positions:3,strip:1,unroll:2";
    const std::string usual = chosen(keys(14), "", folder).schedule;
    folder.write(avx2,
                 fmt::format("[{},\n{}]", entry(keys(14) + " stride=2", schedule),
                             entry("convolution in=1x14x14x32 out_channels=32 kernel_size=3", schedule)));
    folder.write(*find_target("x86-64-linux"), fmt::format("[{}]", entry(keys(14), schedule)));
    CHECK(chosen(keys(14), "", folder).schedule == usual);
}

TEST_CASE("A record's problem is known by its meaning, not by its spelling", "[records]") {
    const RecordsFolder folder;
    const std::string own = "direct,vectors:1,positions:2,strip:14,unroll:1";
    folder.write(avx2,
                 fmt::format("[{}]", entry("cross_correlation kernel_size=3x3 stride=1 padding=same "
                                           "out_channels=32 in=1x14x14x32 algorithm=exact epilogue=bias",
                                           own)));
    CHECK_THAT(chosen(keys(14), "", folder).reason, Catch::Contains("record of this problem"));
}

TEST_CASE("Broken records are reported by name and the others kept", "[records]") {
    const RecordsFolder folder;
    const std::string fine = "generic";
    const std::string no_evidence = fmt::format(R"({{"problem": "{}", "schedule": "generic"}})", keys(9));
    folder.write(avx2, fmt::format("[7, {}, {}, {}, {}, {}]", entry("cross_korrelation in=1x1x1x1", fine),
                                   entry(keys(8), "sideways"), entry(keys(7), "direct,vectors"), no_evidence,
                                   entry(keys(14), fine)));
    const RecordFile file = load_records(records_path(folder.path(), avx2));
    REQUIRE(file.records.size() == 1);
    CHECK(file.records[0].schedule == fine);
    CHECK(file.records[0].evidence.gflops == 50.5);
    CHECK(file.records[0].evidence.by == "hand");
    REQUIRE(file.unreadable.size() == 5);
    CHECK(file.warnings() == file.unreadable);
    for (const std::string& warning : file.unreadable)
        CHECK_THAT(warning, Catch::StartsWith(file.path) && Catch::Contains("ignored"));
    CHECK_THAT(file.unreadable[1], Catch::Contains("cross_korrelation"));
    CHECK_THAT(file.unreadable[2], Catch::Contains("8x8x32") && Catch::Contains("sideways"));
    CHECK_THAT(file.unreadable[3], Catch::Contains("7x7x32") && Catch::Contains("'vectors'"));
    CHECK_THAT(file.unreadable[4], Catch::Contains("9x9x32") && Catch::Contains("evidence"));
    CHECK(chosen(keys(14), "", folder).schedule == "generic");
}

TEST_CASE("A records file that is no list is reported and ignored", "[records]") {
    const RecordsFolder folder;
    for (const std::string text : {"", "{", "{}", "null", "[1, 2", "\xff\xfe"}) {
        folder.write(avx2, text);
        const RecordFile file = load_records(records_path(folder.path(), avx2));
        CHECK(file.records.empty());
        REQUIRE(file.unreadable.size() == 1);
        CHECK_THAT(file.unreadable[0], Catch::StartsWith(file.path) && Catch::Contains("ignored"));
        CHECK_THAT(chosen(keys(14), "", folder).reason, Catch::Contains("default"));
    }
}

TEST_CASE("A records file that does not exist holds no records, without a warning", "[records]") {
    const RecordFile file = load_records("/nonexistent/records.json");
    CHECK(file.records.empty());
    CHECK(file.warnings().empty());
}

TEST_CASE("A record fits as long as it is of this major version of Halide", "[records]") {
    constexpr int major = HALIDE_VERSION_MAJOR;
    CHECK(why_outdated(tool_versions()) == "");
    for (const std::string& fits :
         {std::string(), std::string("by hand"), std::string("Halide"), std::string("Halide main"),
          fmt::format("Halide {}", major), fmt::format("Halide {}.99.7", major),
          fmt::format("LLVM 7.0, Halide {}.1.0", major)})
        CHECK(why_outdated(fits) == "");
    for (const std::string& outdated :
         {fmt::format("Halide {}.0.0", major - 1), fmt::format("Halide {}", major + 1),
          fmt::format("Halide {}0.0.0", major), fmt::format("LLVM {}.0, Halide 9.0.0", major),
          std::string("Halide 99999999999999999999")})
        CHECK_THAT(why_outdated(outdated), Catch::Contains(outdated) && Catch::Contains(tool_versions()));
}

TEST_CASE("Records of another major version of Halide are reported by name and not looked up", "[records]") {
    const RecordsFolder folder;
    const std::string old = fmt::format("Halide {}.1.2", HALIDE_VERSION_MAJOR - 1);
    folder.write(avx2, fmt::format("[{},\n{}]", entry(keys(14), schedule_with(2), old),
                                   entry(keys(16), schedule_with(3), tool_versions())));
    const RecordFile file = load_records(records_path(folder.path(), avx2));
    CHECK(file.records.size() == 1);
    REQUIRE(file.outdated.size() == 1);
    CHECK(file.outdated[0].record.schedule == schedule_with(2));
    CHECK(file.unreadable.empty());
    REQUIRE(file.warnings().size() == 1);
    CHECK_THAT(file.warnings()[0], Catch::StartsWith(file.path) && Catch::Contains("14x14x32") &&
                                       Catch::Contains("ignored") && Catch::Contains(old));
    INFO("neither as a problem's own record nor as the nearest one");
    CHECK(chosen(keys(14), "", folder).positions == 3);
    folder.write(avx2, fmt::format("[{}]", entry(keys(14), schedule_with(2), old)));
    CHECK_THAT(chosen(keys(14), "", folder).reason, Catch::Contains("default"));
    CHECK_THAT(chosen(keys(16), "", folder).reason, Catch::Contains("default"));
}

TEST_CASE("What the fuzzer began with and found costs no more than warnings", "[records]") {
    std::size_t files = 0, records = 0;
    for (const auto& entry : std::filesystem::directory_iterator(LAMINA_RECORD_SEEDS)) {
        INFO(entry.path());
        std::ostringstream text;
        text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
        records += use_records(text.str());
        ++files;
    }
    CHECK(files >= 6);
    CHECK(records >= 2);
}
