// What `lamina bench` measured, as a table for people, JSON, CSV, and a page with heat maps.
#pragma once

#include "tools/sweep.hpp"
#include "tools/timed_kernel.hpp"

#include <nlohmann/json_fwd.hpp>

namespace lamina::tools {

// A kernel's figures to JSON and back, for files and between processes.
nlohmann::json to_json(const TimedKernel& kernel);
TimedKernel timed_kernel_from(const nlohmann::json& json);

// One line of the table and the line above the first.
std::string table_head();
std::string table_row(const TimedKernel& kernel);

struct BenchReport {
    std::string target;
    int threads = 1;
    std::optional<Peak> peak;
    std::vector<TimedKernel> kernels;
    Sweep sweep; // what was varied, empty where it was no grid
};

// Of one of the fractions over all kernels; nothing where there are none.
std::optional<double> geomean(const std::vector<TimedKernel>& kernels, double Fractions::*fraction);

std::string json_text(const BenchReport& report);

// A line per kernel, the swept knobs' values as columns of their own. Quoted as RFC 4180 says.
std::string csv_text(const BenchReport& report);

// One self-contained HTML page: a table that can be sorted, and for each problem of a sweep a heat map of the
// first two knobs, each cell the best over the others.
std::string page_text(const BenchReport& report);

} // namespace lamina::tools
