#include "tuner/object_loader.hpp"

#include <llvm/ExecutionEngine/JITLink/EHFrameSupport.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>

namespace lamina {

namespace orc = llvm::orc;

struct LoadedObjects::Session {
    std::unique_ptr<orc::LLJIT> jit;
};

namespace {

std::string text(llvm::Error error) {
    return llvm::toString(std::move(error));
}

llvm::Expected<std::unique_ptr<orc::ObjectLayer>> linking_layer(orc::ExecutionSession& session,
                                                                const llvm::Triple&) {
    return std::make_unique<orc::ObjectLinkingLayer>(session);
}

} // namespace

LoadedObjects::LoadedObjects() {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    auto jit = orc::LLJITBuilder().setObjectLinkingLayerCreator(linking_layer).create();
    if (!jit) {
        error_ = text(jit.takeError());
        return;
    }
    session_ = std::make_unique<Session>(Session{std::move(*jit)});
}

LoadedObjects::LoadedObjects(LoadedObjects&&) noexcept = default;
LoadedObjects& LoadedObjects::operator=(LoadedObjects&&) noexcept = default;
LoadedObjects::~LoadedObjects() = default;

std::string LoadedObjects::add(const std::string& path) {
    if (!session_)
        return error_;
    auto buffer = llvm::MemoryBuffer::getFile(path, false, false);
    if (!buffer)
        return path + ": " + buffer.getError().message();
    if (llvm::Error error = session_->jit->addObjectFile(std::move(*buffer)))
        return path + ": " + text(std::move(error));
    return "";
}

void* LoadedObjects::find(const std::string& function) {
    if (!session_)
        return nullptr;
    auto address = session_->jit->lookup(function);
    if (!address) {
        error_ = text(address.takeError());
        return nullptr;
    }
    return address->toPtr<void*>();
}

} // namespace lamina
