#include "tuner/disassembler.hpp"

#include <llvm/MC/MCTargetOptions.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>

#include <algorithm>

namespace lamina {

namespace {

void initialize(Architecture architecture) {
    if (architecture == Architecture::x86_64) {
        LLVMInitializeX86TargetInfo();
        LLVMInitializeX86TargetMC();
        LLVMInitializeX86TargetMCA();
        LLVMInitializeX86Disassembler();
    } else {
        LLVMInitializeAArch64TargetInfo();
        LLVMInitializeAArch64TargetMC();
        LLVMInitializeAArch64Disassembler();
    }
}

} // namespace

Disassembler::Disassembler(Architecture architecture)
    : triple_(architecture == Architecture::x86_64 ? "x86_64-unknown-linux-gnu"
                                                   : "aarch64-unknown-linux-gnu") {
    initialize(architecture);
    target_ = llvm::TargetRegistry::lookupTarget(triple_.str(), error_);
    if (!target_)
        return;
    registers_.reset(target_->createMCRegInfo(triple_.str()));
    syntax_.reset(target_->createMCAsmInfo(*registers_, triple_.str(), llvm::MCTargetOptions()));
    instructions_.reset(target_->createMCInstrInfo());
    analysis_.reset(target_->createMCInstrAnalysis(instructions_.get()));
    // x86's decoder reads every extension's instructions, arm's only those of the features it is given.
    const char* features = architecture == Architecture::x86_64 ? "" : "+all";
    all_features_.reset(target_->createMCSubtargetInfo(triple_.str(), "", features));
    context_ =
        std::make_unique<llvm::MCContext>(triple_, syntax_.get(), registers_.get(), all_features_.get());
    decoder_.reset(target_->createMCDisassembler(*all_features_, *context_));
    const unsigned variant = architecture == Architecture::x86_64 ? 1 : 0;
    printer_.reset(target_->createMCInstPrinter(triple_, variant, *syntax_, *instructions_, *registers_));
    if (!analysis_ || !decoder_ || !printer_) {
        error_ = "this LLVM has no disassembler for " + triple_.str();
        return;
    }
    printer_->setPrintImmHex(true);
    printer_->setPrintBranchImmAsAddress(true);
}

std::vector<DecodedInstruction> Disassembler::decode(llvm::ArrayRef<std::uint8_t> code) const {
    std::vector<DecodedInstruction> result;
    for (std::size_t offset = 0; offset < code.size();) {
        DecodedInstruction decoded{offset, 0, {}, false};
        std::uint64_t size = 0;
        decoded.is_known = decoder_->getInstruction(decoded.inst, size, code.slice(offset), offset,
                                                    llvm::nulls()) == llvm::MCDisassembler::Success;
        decoded.size = std::clamp<std::size_t>(size, 1, code.size() - offset);
        offset += decoded.size;
        result.push_back(std::move(decoded));
    }
    return result;
}

std::string Disassembler::text(const DecodedInstruction& instruction) const {
    std::string text;
    llvm::raw_string_ostream stream(text);
    // x86's printer takes branches from the address that they are relative to: the next instruction's.
    const std::size_t origin = triple_.isX86() ? instruction.offset + instruction.size : instruction.offset;
    printer_->printInst(&instruction.inst, origin, "", *all_features_, stream);
    stream.flush();
    std::replace(text.begin(), text.end(), '\t', ' ');
    return text.substr(std::min(text.find_first_not_of(' '), text.size()));
}

std::unique_ptr<llvm::MCSubtargetInfo> Disassembler::subtarget(const std::string& cpu) const {
    return std::unique_ptr<llvm::MCSubtargetInfo>(target_->createMCSubtargetInfo(triple_.str(), cpu, ""));
}

} // namespace lamina
