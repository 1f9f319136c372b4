// LLVM's machine-code layer for one architecture: code to instructions, instructions to text. Included only
// by sources that use LLVM.
#pragma once

#include "tuner/object_code.hpp"

#include <llvm/MC/MCAsmInfo.h>
#include <llvm/MC/MCContext.h>
#include <llvm/MC/MCDisassembler/MCDisassembler.h>
#include <llvm/MC/MCInst.h>
#include <llvm/MC/MCInstPrinter.h>
#include <llvm/MC/MCInstrAnalysis.h>
#include <llvm/MC/MCInstrInfo.h>
#include <llvm/MC/MCRegisterInfo.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/TargetParser/Triple.h>

#include <memory>

namespace lamina {

struct DecodedInstruction {
    std::size_t offset, size; // bytes
    llvm::MCInst inst;
    bool is_known; // false: these bytes are no instruction
};

class Disassembler {
public:
    explicit Disassembler(Architecture architecture);

    // Why this LLVM cannot read the architecture's code, or empty; nothing else may be called then.
    const std::string& error() const { return error_; }

    std::vector<DecodedInstruction> decode(llvm::ArrayRef<std::uint8_t> code) const;
    // As assemblers write it (Intel's syntax on x86), branches with their target's offset.
    std::string text(const DecodedInstruction& instruction) const;
    const llvm::MCInstrDesc& description(const llvm::MCInst& inst) const {
        return instructions_->get(inst.getOpcode());
    }

    const llvm::Target& target() const { return *target_; }
    const llvm::MCInstrInfo& instructions() const { return *instructions_; }
    const llvm::MCRegisterInfo& registers() const { return *registers_; }
    const llvm::MCInstrAnalysis& analysis() const { return *analysis_; }
    // `cpu` "" for the architecture in general; a name that LLVM does not know prints to stderr.
    std::unique_ptr<llvm::MCSubtargetInfo> subtarget(const std::string& cpu) const;

private:
    llvm::Triple triple_;
    const llvm::Target* target_ = nullptr;
    std::unique_ptr<llvm::MCRegisterInfo> registers_;
    std::unique_ptr<llvm::MCAsmInfo> syntax_;
    std::unique_ptr<llvm::MCInstrInfo> instructions_;
    std::unique_ptr<llvm::MCInstrAnalysis> analysis_;
    std::unique_ptr<llvm::MCSubtargetInfo> all_features_;
    std::unique_ptr<llvm::MCContext> context_;
    std::unique_ptr<llvm::MCDisassembler> decoder_;
    std::unique_ptr<llvm::MCInstPrinter> printer_;
    std::string error_;
};

} // namespace lamina
