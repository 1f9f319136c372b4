#include "tools/bench_report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>

namespace lamina::tools {

namespace {

using nlohmann::json;

std::string quoted_field(const std::string& text) {
    if (text.find_first_of(",\"\n") == std::string::npos)
        return text;
    std::string quoted = "\"";
    for (const char c : text)
        quoted += c == '"' ? "\"\"" : std::string(1, c);
    return quoted + "\"";
}

template <class Value>
json or_null(const std::optional<Value>& value) {
    return value ? json(*value) : json(nullptr);
}

template <class Value>
std::optional<Value> value_or_nothing(const json& field) {
    return field.is_null() ? std::nullopt : std::optional(field.get<Value>());
}

template <class Value>
std::string or_dash(const std::optional<Value>& value, const char* format) {
    return value ? fmt::format(fmt::runtime(format), *value) : "-";
}

std::string kibibytes(std::size_t bytes) {
    return fmt::format("{:.1f}", static_cast<double>(bytes) / 1024);
}

} // namespace

json to_json(const TimedKernel& kernel) {
    json object{{"problem", kernel.problem},
                {"schedule", kernel.schedule},
                {"reason", kernel.reason},
                {"error", kernel.error},
                {"median_seconds", kernel.timing.median},
                {"best_seconds", kernel.timing.best},
                {"spread_seconds", kernel.timing.spread},
                {"calls", kernel.timing.calls},
                {"alone_fraction_of_calls", kernel.timing.alone},
                {"gflops", kernel.gflops},
                {"fraction_of_peak", nullptr},
                {"best_fraction_of_peak", nullptr},
                {"fraction_of_copy", nullptr},
                {"spills", or_null(kernel.spills)},
                {"model_fraction_of_peak", or_null(kernel.model_bound)},
                {"scratch_bytes", kernel.scratch_bytes},
                {"code_bytes", kernel.code_bytes},
                {"compile_seconds", kernel.compile_seconds}};
    if (kernel.fractions) {
        object["fraction_of_peak"] = kernel.fractions->median;
        object["best_fraction_of_peak"] = kernel.fractions->best;
        object["fraction_of_copy"] = kernel.fractions->copy;
    }
    return object;
}

TimedKernel timed_kernel_from(const json& object) {
    TimedKernel kernel;
    kernel.problem = object.at("problem");
    kernel.schedule = object.at("schedule");
    kernel.reason = object.at("reason");
    kernel.error = object.at("error");
    kernel.timing = {object.at("best_seconds"), object.at("median_seconds"), object.at("spread_seconds"),
                     object.at("calls"), object.at("alone_fraction_of_calls")};
    kernel.gflops = object.at("gflops");
    if (!object.at("fraction_of_peak").is_null())
        kernel.fractions = {object.at("fraction_of_peak"), object.at("best_fraction_of_peak"),
                            object.at("fraction_of_copy")};
    kernel.spills = value_or_nothing<int>(object.at("spills"));
    kernel.model_bound = value_or_nothing<double>(object.at("model_fraction_of_peak"));
    kernel.scratch_bytes = object.at("scratch_bytes");
    kernel.code_bytes = object.at("code_bytes");
    kernel.compile_seconds = object.at("compile_seconds");
    return kernel;
}

std::string table_head() {
    return fmt::format("    {:<72} {:>9} {:>4} {:>6} {:>8} {:>7} {:>6} {:>6} {:>6} {:>6} {:>8} {:>9} {:>7}\n",
                       "schedule", "ms", "+-%", "alone%", "GFLOP/s", "of peak", "best", "model", "of copy",
                       "spills", "code KiB", "scratch", "compile");
}

std::string table_row(const TimedKernel& k) {
    if (!k.error.empty())
        return fmt::format("    {}: {}\n", k.schedule.empty() ? "no schedule" : k.schedule, k.error);
    std::optional<double> median, best, copy;
    if (k.fractions) {
        median = k.fractions->median;
        best = k.fractions->best;
        copy = k.fractions->copy;
    }
    return fmt::format("    {:<72} {:>9.4f} {:>4.0f} {:>6.0f} {:>8.1f} {:>7} {:>6} {:>6} {:>7} {:>6} {:>8} "
                       "{:>9} {:>5.2f} s\n",
                       k.schedule, k.timing.median * 1e3, 50 * k.timing.spread / k.timing.median,
                       100 * k.timing.alone, k.gflops, or_dash(median, "{:.3f}"), or_dash(best, "{:.3f}"),
                       or_dash(k.model_bound, "{:.3f}"), or_dash(copy, "{:.3f}"), or_dash(k.spills, "{}"),
                       kibibytes(k.code_bytes), kibibytes(k.scratch_bytes), k.compile_seconds);
}

std::optional<double> geomean(const std::vector<TimedKernel>& kernels, double Fractions::*fraction) {
    double sum = 0;
    int count = 0;
    for (const TimedKernel& kernel : kernels)
        if (kernel.fractions) {
            sum += std::log((*kernel.fractions).*fraction);
            ++count;
        }
    return count == 0 ? std::nullopt : std::optional(std::exp(sum / count));
}

std::string json_text(const BenchReport& report) {
    json root{{"target", report.target},
              {"threads", report.threads},
              {"peak_gflops", nullptr},
              {"copy_gbytes", nullptr},
              {"geomean_fraction_of_peak", or_null(geomean(report.kernels, &Fractions::median))},
              {"geomean_best_fraction_of_peak", or_null(geomean(report.kernels, &Fractions::best))},
              {"rows", json::array()}};
    if (report.peak) {
        root["peak_gflops"] = report.peak->gflops;
        root["copy_gbytes"] = report.peak->copy_gbytes;
    }
    for (const TimedKernel& kernel : report.kernels)
        root["rows"].push_back(to_json(kernel));
    return root.dump(1) + "\n";
}

std::string csv_text(const BenchReport& report) {
    const json names = to_json(TimedKernel());
    std::string text = "problem,schedule";
    for (const SweptKnob& knob : report.sweep.knobs)
        text += "," + quoted_field(knob.name);
    for (const auto& [name, value] : names.items())
        if (name != "problem" && name != "schedule")
            text += "," + name;
    text += "\n";
    for (const TimedKernel& kernel : report.kernels) {
        text += quoted_field(kernel.problem) + "," + quoted_field(kernel.schedule);
        for (const SweptKnob& knob : report.sweep.knobs)
            text += "," + knob_value(kernel.schedule, knob.name);
        const json figures = to_json(kernel);
        for (const auto& [name, value] : figures.items())
            if (name != "problem" && name != "schedule")
                text += "," + quoted_field(value.is_null()     ? ""
                                           : value.is_string() ? value.get<std::string>()
                                                               : value.dump());
        text += "\n";
    }
    return text;
}

} // namespace lamina::tools
