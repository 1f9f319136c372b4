#include "tests/support/assemble.hpp"

#include <llvm/MC/MCAsmBackend.h>
#include <llvm/MC/MCAsmInfo.h>
#include <llvm/MC/MCCodeEmitter.h>
#include <llvm/MC/MCContext.h>
#include <llvm/MC/MCInstrInfo.h>
#include <llvm/MC/MCObjectFileInfo.h>
#include <llvm/MC/MCObjectWriter.h>
#include <llvm/MC/MCParser/MCAsmParser.h>
#include <llvm/MC/MCParser/MCTargetAsmParser.h>
#include <llvm/MC/MCRegisterInfo.h>
#include <llvm/MC/MCStreamer.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/MCTargetOptions.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/SourceMgr.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>

#include <stdexcept>

namespace lamina::testing {

std::string assemble(Architecture architecture, const std::string& text) {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmParsers();
    const bool is_x86 = architecture == Architecture::x86_64;
    const llvm::Triple triple(is_x86 ? "x86_64-unknown-linux-gnu" : "aarch64-unknown-linux-gnu");
    std::string error;
    const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple.str(), error);
    if (!target)
        throw std::runtime_error(error);
    const llvm::MCTargetOptions options;
    const std::unique_ptr<llvm::MCRegisterInfo> registers(target->createMCRegInfo(triple.str()));
    const std::unique_ptr<llvm::MCAsmInfo> syntax(target->createMCAsmInfo(*registers, triple.str(), options));
    const std::unique_ptr<llvm::MCInstrInfo> instructions(target->createMCInstrInfo());
    const std::unique_ptr<llvm::MCSubtargetInfo> features(
        target->createMCSubtargetInfo(triple.str(), "", is_x86 ? "" : "+all"));
    llvm::SourceMgr sources;
    sources.AddNewSourceBuffer(
        llvm::MemoryBuffer::getMemBufferCopy((is_x86 ? ".intel_syntax noprefix\n" : "") + text), {});
    llvm::MCContext context(triple, syntax.get(), registers.get(), features.get(), &sources);
    const std::unique_ptr<llvm::MCObjectFileInfo> file(target->createMCObjectFileInfo(context, true));
    context.setObjectFileInfo(file.get());

    llvm::SmallString<0> object;
    llvm::raw_svector_ostream stream(object);
    std::unique_ptr<llvm::MCAsmBackend> backend(target->createMCAsmBackend(*features, *registers, options));
    auto writer = backend->createObjectWriter(stream);
    std::unique_ptr<llvm::MCCodeEmitter> emitter(target->createMCCodeEmitter(*instructions, context));
    const std::unique_ptr<llvm::MCStreamer> streamer(target->createMCObjectStreamer(
        triple, context, std::move(backend), std::move(writer), std::move(emitter), *features));
    const std::unique_ptr<llvm::MCAsmParser> parser(
        llvm::createMCAsmParser(sources, context, *streamer, *syntax));
    const std::unique_ptr<llvm::MCTargetAsmParser> of_target(
        target->createMCAsmParser(*features, *parser, *instructions, options));
    parser->setTargetParser(*of_target);
    if (parser->Run(false))
        throw std::runtime_error("this is no assembly: " + text);
    return object.str().str();
}

std::string assemble_function(Architecture architecture, const std::string& body) {
    return assemble(architecture, ".text\n.globl kernel\n.type kernel,%function\nkernel:\n" + body +
                                      "\n.size kernel, .-kernel\n");
}

} // namespace lamina::testing
