#include "tuner/loop_report.hpp"

namespace lamina {

namespace {

LoopReport inspect(const std::vector<std::string>& objects, const TargetFacts& target,
                   const std::string& cpu) {
    LoopReport report;
    if (target.is_gpu) {
        report.reason = report.bound.error = "its loops run on a device";
        return report;
    }
    for (const std::string& object : objects) { // the most demanding target's first
        HotLoopSearch search = find_hot_loop(object);
        report.loop = std::move(search.loop);
        report.reason = std::move(search.reason);
        if (report.loop)
            break;
    }
    report.cpu = choose_cpu(target, cpu);
    if (report.loop && report.cpu.error.empty())
        report.bound = bound_loop(*report.loop, report.cpu.name, target.vector_bytes);
    else
        report.bound.error = report.loop ? report.cpu.error : report.reason;
    if (report.reason.empty())
        report.reason = report.bound.error;
    return report;
}

} // namespace

std::optional<int> LoopReport::spills() const {
    return loop ? std::optional(loop->counts.spills) : std::nullopt;
}

std::optional<double> LoopReport::bound_fraction() const {
    const double fraction = bound.fraction_of_peak();
    return fraction > 0 ? std::optional(fraction) : std::nullopt;
}

LoopReport inspect(const CompiledKernel& kernel, const TargetFacts& target, const std::string& cpu) {
    std::vector<std::string> objects;
    for (const std::string& path : kernel.call.objects)
        objects.push_back(file_bytes(path));
    return inspect(objects, target, cpu);
}

LoopReport inspect(const LoadedKernel& kernel, const TargetFacts& target, const std::string& cpu) {
    return inspect(kernel.call_objects(), target, cpu);
}

} // namespace lamina
