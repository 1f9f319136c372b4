#include "tuner/cpu_models.hpp"

#include "tuner/disassembler.hpp"
#include "tuner/loaded_kernel.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <llvm/TargetParser/Host.h>

#include <algorithm>

namespace lamina {

namespace {

struct Proxy {
    std::string_view cpu, model;
    int vector_bytes; // from this size on
    std::string_view reason;
};

constexpr std::string_view one_of_two = "LLVM 19 knows one of its two units for 512-bit multiply-adds";
constexpr std::string_view cortex_a57 = "LLVM 19 gives it the pipeline of Cortex-A57, with half of its "
                                        "multiply-adds";
constexpr Proxy proxies[] = {
    {"znver5", "skylake-avx512", 64, "LLVM 19 gives it Zen 4's pipeline, which halves 512-bit operations"},
    {"icelake-server", "skylake-avx512", 64, one_of_two},
    {"sapphirerapids", "skylake-avx512", 64, one_of_two},
    {"emeraldrapids", "skylake-avx512", 64, one_of_two},
    {"graniterapids", "skylake-avx512", 64, one_of_two},
    {"cortex-a76", "neoverse-n1", 16, cortex_a57},
    {"cortex-a76ae", "neoverse-n1", 16, cortex_a57},
    {"cortex-a77", "neoverse-n1", 16, cortex_a57},
    {"cortex-a78", "neoverse-n1", 16, cortex_a57},
    {"cortex-a78ae", "neoverse-n1", 16, cortex_a57},
    {"cortex-a78c", "neoverse-n1", 16, cortex_a57},
};

// Those that differ the least from `name`.
std::vector<std::string> nearest(const std::vector<std::string>& known, const std::string& name) {
    std::vector<std::pair<unsigned, std::string>> ranked;
    ranked.reserve(known.size());
    for (const std::string& cpu : known)
        ranked.emplace_back(llvm::StringRef(name).edit_distance(cpu), cpu);
    std::sort(ranked.begin(), ranked.end());
    std::vector<std::string> result;
    for (std::size_t i = 0; i < std::min<std::size_t>(ranked.size(), 3); ++i)
        result.push_back(ranked[i].second);
    return result;
}

} // namespace

Architecture architecture_of(const TargetFacts& target) {
    return Halide::Target(std::string(target.halide)).arch == Halide::Target::X86 ? Architecture::x86_64
                                                                                  : Architecture::arm_64;
}

std::vector<std::string> modelled_cpus(Architecture architecture) {
    const Disassembler disassembler(architecture);
    std::vector<std::string> names;
    if (!disassembler.error().empty())
        return names;
    for (const llvm::SubtargetSubTypeKV& cpu : disassembler.subtarget("")->getAllProcessorDescriptions())
        if (cpu.SchedModel->hasInstrSchedModel())
            names.emplace_back(cpu.Key);
    std::sort(names.begin(), names.end());
    return names;
}

std::string host_cpu() {
    const llvm::StringRef name = llvm::sys::getHostCPUName();
    return name.empty() ? "generic" : name.str();
}

CpuChoice choose_cpu(const TargetFacts& target, const std::string& given) {
    const std::vector<std::string> known = modelled_cpus(architecture_of(target));
    const auto is_known = [&](const std::string& name) {
        return std::find(known.begin(), known.end(), name) != known.end();
    };
    if (!given.empty()) {
        if (is_known(given))
            return {given, "given by the user", ""};
        return {"", "",
                fmt::format("cpu: LLVM models no '{}' that runs {}; near it are {}, all are {}", given,
                            target.name, fmt::join(nearest(known, given), ", "), fmt::join(known, ", "))};
    }
    if (target.cpu.empty())
        return {"", "", fmt::format("{} is no CPU's code", target.name)};
    const std::string host = host_cpu();
    if (can_run_here(target) && is_known(host))
        return {host, "this machine's", ""};
    return {std::string(target.cpu), fmt::format("usual for {}", target.name), ""};
}

ModelName model_for(std::string_view cpu, int vector_bytes) {
    for (const Proxy& proxy : proxies)
        if (proxy.cpu == cpu && vector_bytes >= proxy.vector_bytes)
            return {std::string(proxy.model), std::string(proxy.reason)};
    return {std::string(cpu), ""};
}

} // namespace lamina
