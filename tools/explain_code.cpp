#include "tools/explain_code.hpp"

#include "generators/temporary_folder.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lamina::tools {

namespace {

std::string in_words(std::size_t bytes) {
    return bytes < 10'240 ? fmt::format("{} bytes", bytes)
                          : fmt::format("{:.1f} KiB", static_cast<double>(bytes) / 1024);
}

std::string where(const Allocation& allocation) {
    switch (allocation.kind) {
    case MemoryKind::registers:
        return "in registers, as far as they go";
    case MemoryKind::stack:
        return "on the stack";
    case MemoryKind::scratch:
        break;
    }
    return allocation.is_per_thread ? "of scratch in each thread" : "of scratch";
}

// The stage's name, without the number that Halide appends where the process has used the name before.
std::string_view stage(std::string_view name) {
    const std::size_t mark = name.rfind('$');
    const bool is_numbered = mark != name.npos && name.find_first_not_of("0123456789", mark + 1) == name.npos;
    return is_numbered ? name.substr(0, mark) : name;
}

// Some ports, of which units of one resource are summed up.
std::vector<PortUse> summed_units(const std::vector<PortUse>& ports) {
    std::vector<PortUse> sums;
    for (const PortUse& use : ports) {
        const std::string name = use.port.substr(0, use.port.find('.'));
        if (!sums.empty() && sums.back().port == name)
            sums.back().cycles += use.cycles;
        else
            sums.push_back({name, use.cycles});
    }
    return sums;
}

// The length of what all names begin with and none needs, e.g. 3 of Zn3FP0 and Zn3ALU1 or of SKXPort0 and
// SKXPort5.
std::size_t common_prefix(const std::vector<PortUse>& ports) {
    if (ports.empty())
        return 0;
    std::string_view common = ports[0].port;
    for (const PortUse& use : ports) {
        const auto end = std::mismatch(common.begin(), common.end(), use.port.begin(), use.port.end());
        common = common.substr(0, static_cast<std::size_t>(end.first - common.begin()));
    }
    for (const char* word : {"Port", "Unit"})
        common = common.substr(0, common.find(word));
    return common.size() == ports[0].port.size() ? 0 : common.size();
}

std::string arithmetic(const LoopCounts& counts) {
    if (counts.multiply_adds == 0)
        return fmt::format("{} arithmetic instructions on {} elements", counts.arithmetic,
                           counts.arithmetic_elements);
    return fmt::format("{} multiply-adds of {} elements", counts.multiply_adds, counts.products);
}

void print_bound(const LoopReport& report) {
    const LoopBound& bound = report.bound;
    fmt::print("cpu         {}: {}{}\n", report.cpu.name, report.cpu.reason,
               bound.model_reason.empty()
                   ? ""
                   : fmt::format("; modelled as {}: {}", bound.model, bound.model_reason));
    if (!bound.error.empty()) {
        fmt::print("bound       none: {}\n", bound.error);
        return;
    }
    fmt::print("bound       {:.1f} cycles a turn", bound.cycles);
    if (bound.products_per_cycle > 0)
        fmt::print(": {:.2f} GFLOP/s per GHz, {:.3f} of the model's peak", bound.gflops_per_ghz(),
                   bound.fraction_of_peak());
    fmt::print("\nbottleneck  {}\n", bound.bottleneck);
}

} // namespace

CompiledCode compile_and_inspect(const KernelRequest& request, const TargetFacts& target,
                                 const std::string& records, const std::string& cpu) {
    CompiledCode code;
    const TemporaryFolder folder;
    code.error = folder.error();
    if (!code.error.empty())
        return code;
    const CompiledKernel kernel = compile_kernel(request, {{&target}, records, folder.path()});
    code.error = kernel.error;
    if (!code.error.empty())
        return code;
    code.allocations = kernel.call.allocations;
    code.report = inspect(kernel, target, cpu);
    if (!can_run_here(target))
        code.no_peak = fmt::format("{} does not run here", target.name);
    else if (!cpu.empty() && cpu != host_cpu())
        code.no_peak = fmt::format("this machine is no {}", cpu);
    else if (code.peak = measure_peak(target); !code.peak)
        code.no_peak = fmt::format("the peak of {} is not known here", target.name);
    return code;
}

void print_memory(const std::vector<Allocation>& allocations) {
    const char* heading = "memory";
    for (const Allocation& allocation : allocations) {
        fmt::print("{:<12}{}: {} {}\n", heading, stage(allocation.name), in_words(allocation.bytes),
                   where(allocation));
        heading = "";
    }
    if (allocations.empty())
        fmt::print("memory      none besides the operands\n");
}

void print_hot_loop(const LoopReport& report) {
    if (!report.loop) {
        fmt::print("hot loop    none: {}\n", report.reason);
        return;
    }
    const HotLoop& loop = *report.loop;
    const LoopCounts& counts = loop.counts;
    fmt::print("hot loop    {}; {} loads, {} stores, {} spills, {} broadcasts; {} instructions, {} bytes\n",
               arithmetic(counts), counts.loads, counts.stores, counts.spills, counts.broadcasts,
               loop.lines.size(), loop.code.size());
    print_bound(report);
}

void print_roofline(const Problem& problem, const CompiledCode& code) {
    const double intensity =
        static_cast<double>(operation_count(problem)) / static_cast<double>(bytes_moved(problem));
    fmt::print("roofline    {:.2f} operations a byte; ", intensity);
    if (!code.peak) {
        fmt::print("not measured: {}\n", code.no_peak);
        return;
    }
    const Peak& peak = *code.peak;
    const double by_memory = intensity * peak.copy_gbytes;
    const double fraction = code.report.bound.fraction_of_peak();
    fmt::print("this core does {:.1f} GFLOP/s and copies {:.1f} GB/s: at most {:.1f} GFLOP/s, {} binds\n",
               peak.gflops, peak.copy_gbytes, std::min(peak.gflops, by_memory),
               by_memory < peak.gflops ? "memory" : "arithmetic");
    if (fraction > 0 && fraction < 0.995 && fraction * peak.gflops < by_memory)
        fmt::print("            at most {:.1f} GFLOP/s by the hot loop's bound\n", fraction * peak.gflops);
}

void print_listing(const LoopReport& report) {
    if (!report.loop)
        return;
    const LoopBound& bound = report.bound;
    if (bound.error.empty()) {
        fmt::print("ports of {}, cycles of a turn\n", bound.model);
        for (const PortUse& use : bound.ports)
            fmt::print("    {:<16} {:6.2f}\n", use.port, use.cycles);
    }
    const std::size_t prefix = common_prefix(bound.ports);
    fmt::print("hot loop of {}, with cycles of the ports\n", report.loop->function);
    for (std::size_t i = 0; i < report.loop->lines.size(); ++i) {
        std::string ports;
        if (i < bound.by_line.size())
            for (const PortUse& use : summed_units(bound.by_line[i]))
                ports += fmt::format("  {} {:.2f}", use.port.substr(prefix), use.cycles);
        fmt::print("    {:>5x}  {}{}\n", report.loop->lines[i].offset,
                   ports.empty() ? report.loop->lines[i].text
                                 : fmt::format("{:<56}", report.loop->lines[i].text),
                   ports);
    }
}

} // namespace lamina::tools
