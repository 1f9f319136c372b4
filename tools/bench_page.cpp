// The page of bench_report.hpp: rendered here, so that it shows without scripts; a script only sorts the
// table.
#include "tools/bench_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace lamina::tools {

namespace {

constexpr const char* head = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>lamina bench</title>
<style>
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2.5rem; overflow-wrap: anywhere; }
code, td, th { font-family: ui-monospace, monospace; font-size: 0.85rem; }
table { border-collapse: collapse; margin: 0.8rem 0; }
th, td { padding: 0.2rem 0.6rem; text-align: right; white-space: nowrap; }
table.rows th { cursor: pointer; border-bottom: 2px solid; position: sticky; top: 0; background: Canvas; }
table.rows td { border-bottom: 1px solid #8884; }
td.text, th.text { text-align: left; white-space: normal; overflow-wrap: anywhere; }
table.heat td { min-width: 3.2rem; text-align: center; color: #000; border: 2px solid Canvas; }
table.heat td.best { outline: 3px solid CanvasText; outline-offset: -3px; font-weight: bold; }
table.heat td.none { color: inherit; opacity: 0.4; }
.scroll { overflow-x: auto; }
</style></head><body>
)";

constexpr const char* tail = R"(<script>
for (const header of document.querySelectorAll("table.rows th"))
  header.onclick = () => {
    const body = header.closest("table").tBodies[0], column = header.cellIndex;
    const down = header.dataset.down = header.dataset.down === "1" ? "" : "1";
    const key = row => { const text = row.cells[column].textContent, number = parseFloat(text);
                         return Number.isNaN(number) ? text : number; };
    const rows = [...body.rows].sort((a, b) => {
      const x = key(a), y = key(b), order = typeof x === typeof y ? (x < y ? -1 : x > y ? 1 : 0) : typeof x === "number" ? -1 : 1;
      return down ? order : -order; });
    body.append(...rows);
  };
</script></body></html>
)";

std::string escaped(std::string_view text) {
    std::string result;
    for (const char c : text)
        result += c == '<'   ? "&lt;"
                  : c == '>' ? "&gt;"
                  : c == '&' ? "&amp;"
                  : c == '"' ? "&quot;"
                             : std::string(1, c);
    return result;
}

// Dark blue to yellow, about as bright as the value is large: readable in grey, and for who sees no red.
std::string colour(double share) {
    static constexpr std::array<std::array<double, 3>, 5> stops = {
        {{92, 97, 168}, {64, 140, 170}, {62, 175, 140}, {140, 205, 95}, {250, 225, 60}}};
    const double at = std::clamp(share, 0.0, 1.0) * (stops.size() - 1);
    const auto low = std::min(static_cast<std::size_t>(at), stops.size() - 2);
    const double part = at - static_cast<double>(low);
    const auto mixed = [&](std::size_t i) {
        return static_cast<int>(std::lround(stops[low][i] + part * (stops[low + 1][i] - stops[low][i])));
    };
    return fmt::format("rgb({},{},{})", mixed(0), mixed(1), mixed(2));
}

using Kernels = std::vector<const TimedKernel*>;

// The fastest kernel with these values of the first knobs, or null.
const TimedKernel* best_at(const Kernels& kernels, const Sweep& sweep,
                           const std::vector<std::string>& values) {
    const TimedKernel* best = nullptr;
    for (const TimedKernel* kernel : kernels) {
        bool is_there = kernel->error.empty();
        for (std::size_t i = 0; i < values.size(); ++i)
            is_there = is_there && knob_value(kernel->schedule, sweep.knobs[i].name) == values[i];
        if (is_there && (!best || kernel->timing.median < best->timing.median))
            best = kernel;
    }
    return best;
}

std::string heat_cell(const TimedKernel* kernel, double slowest, double fastest) {
    if (!kernel)
        return "<td class=\"none\" title=\"refused, see the table\">&ndash;</td>";
    const double share = fastest > slowest ? (kernel->gflops - slowest) / (fastest - slowest) : 1;
    return fmt::format("<td{} style=\"background:{}\" title=\"{}: {:.4f} ms\">{:.1f}</td>",
                       kernel->gflops == fastest ? " class=\"best\"" : "", colour(share),
                       escaped(kernel->schedule), kernel->timing.median * 1e3, kernel->gflops);
}

// Rows are the first knob's values, columns the second's.
std::string heat_map(const Kernels& kernels, const Sweep& sweep) {
    double slowest = INFINITY, fastest = 0;
    for (const TimedKernel* kernel : kernels)
        if (kernel->error.empty()) {
            slowest = std::min(slowest, kernel->gflops);
            fastest = std::max(fastest, kernel->gflops);
        }
    const SweptKnob& rows = sweep.knobs[0];
    const SweptKnob columns = sweep.knobs.size() > 1 ? sweep.knobs[1] : SweptKnob{"", {""}};
    std::string text = fmt::format(
        "<p>GFLOP/s by <code>{}</code> (rows){}{}</p>\n<div class=\"scroll\"><table "
        "class=\"heat\"><tr><th></th>",
        escaped(rows.name),
        columns.name.empty() ? "" : fmt::format(" and <code>{}</code> (columns)", escaped(columns.name)),
        sweep.knobs.size() > 2 ? ", the best over the other knobs" : "");
    for (const std::string& column : columns.values)
        text += fmt::format("<th>{}</th>", escaped(column));
    for (const std::string& row : rows.values) {
        text += fmt::format("</tr>\n<tr><th>{}</th>", escaped(row));
        for (const std::string& column : columns.values) {
            const std::vector<std::string> at =
                columns.name.empty() ? std::vector{row} : std::vector{row, column};
            text += heat_cell(best_at(kernels, sweep, at), slowest, fastest);
        }
    }
    return text + "</tr></table></div>\n";
}

template <class Value>
std::string cell(const std::optional<Value>& value, const char* format) {
    return fmt::format("<td>{}</td>", value ? fmt::format(fmt::runtime(format), *value) : "");
}

std::string table_line(const TimedKernel& k) {
    if (!k.error.empty())
        return fmt::format("<tr><td class=\"text\">{}</td><td class=\"text\" colspan=\"11\">{}</td></tr>\n",
                           escaped(k.schedule), escaped(k.error));
    const auto fraction = [&](double Fractions::*which) {
        return k.fractions ? std::optional((*k.fractions).*which) : std::nullopt;
    };
    return fmt::format("<tr><td "
                       "class=\"text\">{}</td><td>{:.4f}</td><td>{:.0f}</td><td>{:.0f}</td><td>{:.1f}</"
                       "td>{}{}{}{}<td>{:.1f}</"
                       "td><td>{:.1f}</td><td>{:.2f}</td></tr>\n",
                       escaped(k.schedule), k.timing.median * 1e3, 50 * k.timing.spread / k.timing.median,
                       100 * k.timing.alone, k.gflops, cell(fraction(&Fractions::median), "{:.3f}"),
                       cell(fraction(&Fractions::best), "{:.3f}"), cell(k.model_bound, "{:.3f}"),
                       cell(k.spills, "{}"), static_cast<double>(k.code_bytes) / 1024,
                       static_cast<double>(k.scratch_bytes) / 1024, k.compile_seconds);
}

std::string table(Kernels kernels) {
    std::stable_sort(kernels.begin(), kernels.end(), [](const TimedKernel* a, const TimedKernel* b) {
        return a->error.empty() != b->error.empty() ? a->error.empty() : a->timing.median < b->timing.median;
    });
    std::string text =
        "<div class=\"scroll\"><table class=\"rows\"><thead><tr><th class=\"text\">schedule</th>";
    for (const char* name : {"ms", "&plusmn;%", "alone %", "GFLOP/s", "of peak", "best", "model", "spills",
                             "code KiB", "scratch KiB", "compile s"})
        text += fmt::format("<th>{}</th>", name);
    text += "</tr></thead><tbody>\n";
    for (const TimedKernel* kernel : kernels)
        text += table_line(*kernel);
    return text + "</tbody></table></div>\n";
}

} // namespace

std::string page_text(const BenchReport& report) {
    std::string text = head;
    text += fmt::format("<h1>{} on {} thread(s)</h1>\n", escaped(report.target), report.threads);
    if (report.peak)
        text += fmt::format(
            "<p>One core's multiply-add peak {:.1f} GFLOP/s, its copy {:.1f} GB/s, measured in the "
            "same run. <i>of peak</i> compares medians, <i>best</i> the best calls; <i>alone</i> "
            "is the part of the calls whose core did nothing else, the others are left out; <i>model</i> is "
            "the bound of the hot loop by LLVM's machine model. Click a heading to sort.</p>\n",
            report.peak->gflops, report.peak->copy_gbytes);
    std::vector<std::string> problems;
    for (const TimedKernel& kernel : report.kernels)
        if (std::find(problems.begin(), problems.end(), kernel.problem) == problems.end())
            problems.push_back(kernel.problem);
    for (const std::string& problem : problems) {
        Kernels kernels;
        for (const TimedKernel& kernel : report.kernels)
            if (kernel.problem == problem)
                kernels.push_back(&kernel);
        text += fmt::format("<h2>{}</h2>\n", escaped(problem));
        if (!report.sweep.knobs.empty())
            text += heat_map(kernels, report.sweep);
        text += table(kernels);
    }
    return text + tail;
}

} // namespace lamina::tools
