#include "tuner/pipeline.hpp"

#include <fmt/format.h>
#include <llvm/MCA/Context.h>
#include <llvm/MCA/CustomBehaviour.h>
#include <llvm/MCA/HWEventListener.h>
#include <llvm/MCA/InstrBuilder.h>
#include <llvm/MCA/SourceMgr.h>

namespace lamina {

namespace {

namespace mca = llvm::mca;

// Every unit of a model's resources, as columns. Groups have none: the simulation names the unit of a group
// that it took.
class Ports {
public:
    explicit Ports(const llvm::MCSchedModel& model) : first_(model.getNumProcResourceKinds(), -1) {
        for (unsigned i = 1; i < model.getNumProcResourceKinds(); ++i) { // 0 is none
            const llvm::MCProcResourceDesc& resource = *model.getProcResource(i);
            if (resource.SubUnitsIdxBegin || resource.NumUnits == 0)
                continue;
            first_[i] = static_cast<int>(names_.size());
            for (unsigned unit = 0; unit < resource.NumUnits; ++unit)
                names_.push_back(resource.NumUnits == 1 ? resource.Name
                                                        : fmt::format("{}.{}", resource.Name, unit));
        }
    }

    const std::vector<std::string>& names() const { return names_; }
    // The column of an issued instruction's use, -1 for none.
    int column(const mca::ResourceRef& use) const {
        if (use.first >= first_.size() || first_[use.first] < 0 || use.second == 0)
            return -1;
        const int column = first_[use.first] + llvm::countr_zero(use.second);
        return column < static_cast<int>(names_.size()) ? column : -1;
    }

private:
    std::vector<int> first_; // column of each resource's first unit
    std::vector<std::string> names_;
};

class Observer : public mca::HWEventListener {
public:
    Observer(const Ports& ports, std::size_t instructions, int turns)
        : ports_(ports), instructions_(instructions), turn_ends_(static_cast<std::size_t>(turns)),
          pressure_(instructions, std::vector<double>(ports.names().size())) {}

    void onCycleEnd() override { ++cycle_; }

    void onEvent(const mca::HWInstructionEvent& event) override {
        const unsigned index = event.IR.getSourceIndex();
        if (event.Type == mca::HWInstructionEvent::Retired)
            turn_ends_[index / instructions_] = cycle_; // in order: the turn's last instruction is the last
        if (event.Type != mca::HWInstructionEvent::Issued)
            return;
        const auto& issued = static_cast<const mca::HWInstructionIssuedEvent&>(event);
        for (const mca::ResourceUse& use : issued.UsedResources)
            if (const int column = ports_.column(use.first); column >= 0)
                pressure_[index % instructions_][static_cast<std::size_t>(column)] += use.second;
    }
    void onEvent(const mca::HWStallEvent&) override {}
    void onEvent(const mca::HWPressureEvent& event) override {
        switch (event.Reason) {
        case mca::HWPressureEvent::RESOURCES:
            ++resources_;
            break;
        case mca::HWPressureEvent::REGISTER_DEPS:
            ++registers_;
            break;
        case mca::HWPressureEvent::MEMORY_DEPS:
            ++memory_;
            break;
        default:
            break;
        }
    }

    void report(PipelineRun& run) const {
        const std::size_t turns = turn_ends_.size(), first = turns / 4;
        run.cycles = static_cast<double>(turn_ends_[turns - 1] - turn_ends_[first]) /
                     static_cast<double>(turns - 1 - first);
        run.ports = ports_.names();
        run.pressure = pressure_;
        for (std::vector<double>& row : run.pressure)
            for (double& cycles : row)
                cycles /= static_cast<double>(turns);
        run.waits_for_resources = resources_;
        run.waits_for_registers = registers_;
        run.waits_for_memory = memory_;
    }

private:
    const Ports& ports_;
    std::size_t instructions_;
    unsigned cycle_ = 0, resources_ = 0, registers_ = 0, memory_ = 0;
    std::vector<unsigned> turn_ends_;
    std::vector<std::vector<double>> pressure_;
};

using Sequence = std::vector<std::unique_ptr<mca::Instruction>>;

// Returns what is wrong, or "". The sequence refers to what the builder holds.
std::string lower(const Disassembler& disassembler, const llvm::MCSubtargetInfo& cpu,
                  const std::vector<llvm::MCInst>& instructions, mca::InstrBuilder& builder,
                  Sequence& sequence) {
    const std::unique_ptr<mca::InstrPostProcess> finish(
        disassembler.target().createInstrPostProcess(cpu, disassembler.instructions()));
    for (const llvm::MCInst& instruction : instructions) {
        auto lowered = builder.createInstruction(instruction, {});
        if (!lowered) {
            llvm::consumeError(lowered.takeError());
            return fmt::format("LLVM's model of {} does not have the instruction {}", cpu.getCPU().str(),
                               disassembler.text({0, 0, instruction, true}));
        }
        if (finish)
            finish->postProcessInstruction(*lowered, instruction);
        sequence.push_back(std::move(*lowered));
    }
    return "";
}

// What llvm-mca calls the block's reciprocal throughput.
double cycles_of_resources(const llvm::MCSchedModel& model, const Sequence& sequence,
                           unsigned micro_operations) {
    llvm::SmallVector<std::uint64_t, 32> masks(model.getNumProcResourceKinds());
    mca::computeProcResourceMasks(model, masks);
    llvm::SmallVector<unsigned, 32> used(masks.size());
    for (const auto& instruction : sequence)
        for (const auto& [mask, usage] : instruction->getDesc().Resources)
            for (std::size_t i = 1; i < masks.size(); ++i) // 0 is none
                if (usage.size() != 0 &&
                    mca::getResourceStateIndex(masks[i]) == mca::getResourceStateIndex(mask))
                    used[i] += usage.size();
    return mca::computeBlockRThroughput(model, model.IssueWidth, micro_operations, used);
}

} // namespace

PipelineRun run_pipeline(const Disassembler& disassembler, const std::vector<llvm::MCInst>& instructions,
                         const std::string& cpu, int turns) {
    PipelineRun run;
    run.turns = turns;
    const std::unique_ptr<llvm::MCSubtargetInfo> subtarget = disassembler.subtarget(cpu);
    const llvm::MCSchedModel& model = subtarget->getSchedModel();
    if (!model.hasInstrSchedModel() || instructions.empty()) {
        run.error = fmt::format("LLVM has no model of {}", cpu);
        return run;
    }
    constexpr unsigned call_latency = 100; // llvm-mca's default, for calls, which loops with a bound lack
    mca::InstrumentManager instruments(*subtarget, disassembler.instructions());
    mca::InstrBuilder builder(*subtarget, disassembler.instructions(), disassembler.registers(),
                              &disassembler.analysis(), instruments, call_latency);
    Sequence sequence;
    run.error = lower(disassembler, *subtarget, instructions, builder, sequence);
    if (!run.error.empty())
        return run;
    for (const auto& instruction : sequence)
        run.micro_operations += static_cast<int>(instruction->getNumMicroOps());
    run.dispatch_width = static_cast<int>(model.IssueWidth);
    run.cycles_of_resources =
        cycles_of_resources(model, sequence, static_cast<unsigned>(run.micro_operations));

    mca::CircularSourceMgr source(sequence, static_cast<unsigned>(turns));
    mca::CustomBehaviour behaviour(*subtarget, source, disassembler.instructions());
    mca::Context context(disassembler.registers(), *subtarget);
    constexpr bool never_alias = true, explain_waits = true;
    const mca::PipelineOptions options(0, 0, 0, 0, 0, 0, never_alias, explain_waits); // 0: as modelled
    const auto pipeline = model.isOutOfOrder() ? context.createDefaultPipeline(options, source, behaviour)
                                               : context.createInOrderPipeline(options, source, behaviour);
    const Ports ports(model);
    Observer observer(ports, sequence.size(), turns);
    pipeline->addEventListener(&observer);
    auto cycles = pipeline->run();
    if (!cycles) {
        run.error = llvm::toString(cycles.takeError());
        return run;
    }
    run.total_cycles = *cycles;
    observer.report(run);
    return run;
}

} // namespace lamina
