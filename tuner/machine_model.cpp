#include "tuner/machine_model.hpp"

#include "tuner/cpu_models.hpp"
#include "tuner/pipeline.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace lamina {

namespace {

// One vector's multiply-add.
struct MultiplyAdd {
    Architecture architecture;
    int vector_bytes;
    const char *accumulator, *factor; // registers
    const char *instruction, *add;    // LLVM's names; `add` is null where one instruction does both
    bool has_lane = false;            // one lane of the last factor
};

constexpr MultiplyAdd multiply_adds[] = {
    {Architecture::x86_64, 16, "XMM0", "XMM1", "MULPSrr", "ADDPSrr"},
    {Architecture::x86_64, 32, "YMM0", "YMM1", "VFMADD231PSYr", nullptr},
    {Architecture::x86_64, 64, "ZMM0", "ZMM1", "VFMADD231PSZr", nullptr},
    {Architecture::arm_64, 16, "Q0", "Q1", "FMLAv4f32", nullptr},
    {Architecture::arm_64, 16, "Q0", "Q1", "FMLAv4i32_indexed", nullptr, true},
};

unsigned opcode(const Disassembler& disassembler, llvm::StringRef name) {
    for (unsigned i = 0; i < disassembler.instructions().getNumOpcodes(); ++i)
        if (disassembler.instructions().getName(i) == name)
            return i;
    return 0;
}

llvm::MCOperand register_named(const Disassembler& disassembler, llvm::StringRef name) {
    const llvm::MCRegisterInfo& registers = disassembler.registers();
    for (unsigned i = 1; i < registers.getNumRegs(); ++i)
        if (name == registers.getName(i))
            return llvm::MCOperand::createReg(i);
    return {};
}

std::vector<llvm::MCInst> instructions_of(const Disassembler& disassembler, const MultiplyAdd& row) {
    std::vector<llvm::MCInst> result;
    const auto append = [&](const char* name, int factors) {
        llvm::MCInst inst;
        inst.setOpcode(opcode(disassembler, name));
        for (int i = 0; i < 2; ++i) // written and read
            inst.addOperand(register_named(disassembler, row.accumulator));
        for (int i = 0; i < factors; ++i)
            inst.addOperand(register_named(disassembler, row.factor));
        if (row.has_lane)
            inst.addOperand(llvm::MCOperand::createImm(0));
        result.push_back(inst);
    };
    append(row.instruction, row.add ? 1 : 2);
    if (row.add)
        append(row.add, 1);
    return result;
}

// Elements multiplied and added in a cycle if none waits for another, 0 where the model has no such vectors.
double peak_products_per_cycle(const Disassembler& disassembler, Architecture architecture,
                               const std::string& model, int vector_bytes) {
    const double lanes = vector_bytes / 4.0;
    double best = 0;
    for (const MultiplyAdd& row : multiply_adds)
        if (row.architecture == architecture && row.vector_bytes == vector_bytes) {
            const PipelineRun run = run_pipeline(disassembler, instructions_of(disassembler, row), model, 8);
            if (run.error.empty())
                best = std::max(best, lanes / run.cycles_of_resources);
        }
    return best;
}

// Ports that the row uses for a hundredth of a cycle or more.
std::vector<PortUse> uses(const PipelineRun& run, const std::vector<double>& row) {
    std::vector<PortUse> result;
    for (std::size_t i = 0; i < row.size(); ++i)
        if (row[i] >= 0.005)
            result.push_back({run.ports[i], row[i]});
    return result;
}

std::string busiest_ports(const std::vector<PortUse>& ports, double most) {
    std::vector<std::string> names;
    for (const PortUse& use : ports)
        if (use.cycles >= 0.98 * most)
            names.push_back(use.port);
    return fmt::format("{}", fmt::join(names, ", "));
}

std::string bottleneck(const LoopBound& bound, const PipelineRun& run) {
    constexpr double full = 0.93; // what schedulers reach where something is always in use
    double most = 0;
    for (const PortUse& use : bound.ports)
        most = std::max(most, use.cycles);
    const double dispatch = static_cast<double>(run.micro_operations) / std::max(1, run.dispatch_width);
    if (most >= full * bound.cycles && most >= dispatch)
        return fmt::format("{} in use for {:.1f} of {:.1f} cycles", busiest_ports(bound.ports, most), most,
                           bound.cycles);
    if (dispatch >= full * bound.cycles)
        return fmt::format("dispatch: {} micro-operations, {} a cycle", run.micro_operations,
                           run.dispatch_width);
    if (run.waits_for_memory > run.waits_for_registers && run.waits_for_memory > run.waits_for_resources)
        return "dependencies through memory";
    const char* what = run.waits_for_registers > run.waits_for_resources
                           ? "dependencies: instructions wait for results"
                           : "no single one";
    return fmt::format("{}; of {:.1f} cycles, {} are in use for {:.1f}, dispatch for {:.1f}", what,
                       bound.cycles, busiest_ports(bound.ports, most), most, dispatch);
}

// Why the loop's instructions cannot be simulated, or "".
std::string decode(const Disassembler& disassembler, const HotLoop& loop,
                   std::vector<llvm::MCInst>& instructions) {
    for (const DecodedInstruction& decoded : disassembler.decode(loop.code)) {
        if (!decoded.is_known)
            return "the loop holds bytes that are no instruction";
        const llvm::MCInstrDesc& description = disassembler.description(decoded.inst);
        if (description.isCall() || description.isReturn())
            return "the loop calls functions or returns, which no model of a pipeline knows";
        instructions.push_back(decoded.inst);
    }
    return instructions.empty() ? "the loop is empty" : "";
}

void describe(const PipelineRun& run, LoopBound& bound) {
    bound.simulated_turns = run.turns;
    bound.simulated_cycles = run.total_cycles;
    bound.cycles = run.cycles;
    bound.micro_operations = run.micro_operations;
    bound.dispatch_width = run.dispatch_width;
    std::vector<double> sums(run.ports.size());
    for (const std::vector<double>& row : run.pressure) {
        bound.by_line.push_back(uses(run, row));
        for (std::size_t i = 0; i < row.size(); ++i)
            sums[i] += row[i];
    }
    bound.ports = uses(run, sums);
    bound.bottleneck = bottleneck(bound, run);
}

} // namespace

LoopBound bound_loop(const HotLoop& loop, const std::string& cpu, int vector_bytes) {
    LoopBound bound;
    const ModelName model = model_for(cpu, vector_bytes);
    bound.model = model.name;
    bound.model_reason = model.reason;
    const std::vector<std::string> known = modelled_cpus(loop.architecture);
    if (std::find(known.begin(), known.end(), model.name) == known.end()) {
        bound.error = fmt::format("LLVM has no model of '{}'", model.name);
        return bound;
    }
    const Disassembler disassembler(loop.architecture);
    std::vector<llvm::MCInst> instructions;
    bound.error = decode(disassembler, loop, instructions);
    if (!bound.error.empty())
        return bound;
    // As many turns as llvm-mca takes, fewer of a long loop.
    const auto turns = static_cast<int>(std::clamp<std::size_t>(30'000 / instructions.size(), 8, 100));
    const PipelineRun run = run_pipeline(disassembler, instructions, model.name, turns);
    bound.error = run.error;
    if (!run.error.empty())
        return bound;
    describe(run, bound);
    bound.products_per_cycle = run.cycles > 0 ? loop.counts.products / run.cycles : 0;
    bound.peak_products_per_cycle =
        peak_products_per_cycle(disassembler, loop.architecture, model.name, vector_bytes);
    return bound;
}

} // namespace lamina
