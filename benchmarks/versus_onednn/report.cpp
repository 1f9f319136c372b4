#include "benchmarks/versus_onednn/report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace lamina::versus {

namespace {

struct KnownGroup {
    std::string_view name, absent; // why it may well have no problems
};

constexpr std::string_view not_asked = "no problem of this kind was asked for";
constexpr std::array known_groups = {
    KnownGroup{"direct_forward", not_asked},
    KnownGroup{"winograd_forward", "no kernel that was chosen is one of Winograd's"},
    KnownGroup{"input_gradient", not_asked},
    KnownGroup{"kernel_gradient", not_asked},
    KnownGroup{"depthwise_forward", not_asked},
    KnownGroup{"depthwise_gradients", not_asked},
    KnownGroup{"separable", not_asked},
    KnownGroup{"pooled", not_asked},
    KnownGroup{"pooling", not_asked},
    KnownGroup{"two_threads", "nothing was run on two threads"},
};

class Geomean {
public:
    void add(double value) {
        sum_ += std::log(value);
        ++count_;
    }
    std::size_t count() const { return count_; }
    std::optional<double> mean() const {
        return count_ > 0 ? std::optional(std::exp(sum_ / static_cast<double>(count_))) : std::nullopt;
    }

private:
    double sum_ = 0;
    std::size_t count_ = 0;
};

Group group_named(std::string_view name, std::string_view absent, const std::vector<Comparison>& all) {
    Geomean preferred, plain, fastest;
    std::string reason(absent);
    std::size_t left_out = 0;
    for (const Comparison& comparison : all) {
        if (comparison.group != name)
            continue;
        reason = comparison.absent.empty() ? comparison.error : comparison.absent;
        left_out += comparison.absent.empty() && comparison.error.empty() ? 0 : 1;
        if (comparison.preferred)
            preferred.add(comparison.ratio(*comparison.preferred));
        if (comparison.plain)
            plain.add(comparison.ratio(*comparison.plain));
        if (comparison.preferred && comparison.plain)
            fastest.add(
                std::min(comparison.ratio(*comparison.preferred), comparison.ratio(*comparison.plain)));
    }
    const std::size_t count = preferred.count();
    return {std::string(name),      count, left_out, preferred.mean(), plain.mean(), fastest.mean(),
            count > 0 ? "" : reason};
}

nlohmann::json number_or_null(const std::optional<double>& number) {
    return number ? nlohmann::json(*number) : nlohmann::json();
}

nlohmann::json json_of(const Comparison& c, const DuelTime& time) {
    return {{"seconds", time.seconds},
            {"gflops", c.gflops(time)},
            {"fraction_of_peak", c.fraction(time)},
            {"calls", time.calls},
            {"alone", time.alone}};
}

nlohmann::json json_of(const Comparison& c, const std::optional<PeerTime>& peer) {
    if (!peer)
        return nullptr;
    nlohmann::json json = json_of(c, peer->time);
    json["implementation"] = peer->name;
    json["ratio"] = c.ratio(*peer);
    return json;
}

nlohmann::json json_of(const Comparison& c) {
    nlohmann::json json = {{"problem", c.problem},   {"group", c.group},     {"threads", c.threads},
                           {"schedule", c.schedule}, {"because", c.because}, {"error", c.error},
                           {"absent", c.absent}};
    json["scratch_bytes"] = c.scratch;
    if (!c.preferred && !c.plain)
        return json;
    json["peak_gflops"] = c.peak_gflops;
    json["lamina"] = json_of(c, c.lamina);
    json["onednn"] = json_of(c, c.preferred);
    json["onednn_plain"] = json_of(c, c.plain);
    return json;
}

bool is_recorded(const Comparison& c) {
    return c.because.find("record") != std::string::npos;
}

std::string columns(const Comparison& c, const std::optional<PeerTime>& peer) {
    if (!peer)
        return fmt::format("{:>8} {:>6} {:>6}", "-", "-", "-");
    return fmt::format("{:8.1f} {:6.3f} {:6.3f}", c.gflops(peer->time), c.fraction(peer->time),
                       c.ratio(*peer));
}

} // namespace

std::string line_head() {
    return fmt::format("{:>2}  {:>8} {:>6} {:>8}  {:>8} {:>6} {:>6}  {:>8} {:>6} {:>6}\n", "t", "Lamina",
                       "peak", "scratch", "oneDNN", "peak", "ratio", "plain", "peak", "ratio");
}

std::string line(const Comparison& c) {
    if (!c.absent.empty() || !c.error.empty())
        return fmt::format("{:2}  {} {}: {}\n", c.threads,
                           c.error.empty() ? "not compared:" : "ERROR:", c.problem,
                           c.error.empty() ? c.absent : c.error);
    std::string names = c.preferred ? c.preferred->name : "";
    if (c.plain && c.plain->name != names)
        names += (names.empty() ? "" : " | ") + c.plain->name;
    return fmt::format("{:2}  {:8.1f} {:6.3f} {:8.1f}  {}  {}  {} [{}{} | {}]\n", c.threads,
                       c.gflops(c.lamina), c.fraction(c.lamina), c.scratch / 1024, columns(c, c.preferred),
                       columns(c, c.plain), c.problem, is_recorded(c) ? "record: " : "", c.schedule, names);
}

std::vector<Group> groups_of(const std::vector<Comparison>& comparisons) {
    std::vector<Group> groups;
    for (const KnownGroup& known : known_groups)
        groups.push_back(group_named(known.name, known.absent, comparisons));
    // Such as that of all cores, where these are more than two.
    for (const Comparison& comparison : comparisons)
        if (std::ranges::find(groups, comparison.group, &Group::name) == groups.end())
            groups.push_back(group_named(comparison.group, "", comparisons));
    return groups;
}

std::string summary(const std::vector<Group>& groups) {
    std::string text = "geometric means of oneDNN's time over Lamina's:\n";
    for (const Group& group : groups)
        text += group.ratio ? fmt::format("  {:20} {:6.3f}, plain {:.3f}, {} problem(s)\n", group.name,
                                          *group.ratio, group.plain_ratio.value_or(0), group.problems)
                            : fmt::format("  {:20} absent: {}\n", group.name, group.absent);
    return text;
}

std::string origins(const std::vector<Comparison>& comparisons) {
    const auto recorded = std::ranges::count_if(comparisons, is_recorded);
    double most = 0;
    std::string above;
    for (const Comparison& c : comparisons) {
        most = std::max(most, c.scratch);
        if (c.scratch > c.limit)
            above += fmt::format("scratch of {:.0f} KiB, more than {:.0f}: {}\n", c.scratch / 1024,
                                 c.limit / 1024, c.problem);
    }
    return fmt::format(
        "{} of {} schedules from records, the others by default; at most {:.0f} KiB of scratch\n{}", recorded,
        comparisons.size(), most / 1024, above);
}

std::string json_text(const Report& report) {
    nlohmann::json json = {{"target", report.target}, {"onednn", report.peer}};
    for (const Comparison& comparison : report.comparisons)
        json["problems"].push_back(json_of(comparison));
    for (const Group& group : groups_of(report.comparisons)) {
        nlohmann::json& entry = json["groups"][group.name];
        entry = {{"geomean_ratio", number_or_null(group.ratio)},
                 {"geomean_ratio_plain", number_or_null(group.plain_ratio)},
                 {"geomean_ratio_fastest", number_or_null(group.fastest_ratio)},
                 {"problems", group.problems},
                 {"left_out", group.left_out}};
        if (!group.ratio)
            entry["absent"] = group.absent;
    }
    return json.dump(2) + "\n";
}

} // namespace lamina::versus
