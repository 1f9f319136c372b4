#include "generators/lowered_bodies.hpp"

#include <set>

namespace lamina {

namespace {

using namespace Halide::Internal;
using Halide::Expr;

class UnalignedLoads : public IRMutator {
public:
    explicit UnalignedLoads(const std::set<std::string>& buffers) : buffers_(buffers) {}
    using IRMutator::mutate;

private:
    const std::set<std::string>& buffers_;

    using IRMutator::visit;

    Expr visit(const Load* load) override {
        if (load->param.defined() || !buffers_.contains(load->name))
            return IRMutator::visit(load);
        return Load::make(load->type, load->name, mutate(load->index), load->image, load->param,
                          mutate(load->predicate), ModulusRemainder());
    }
};

} // namespace

Halide::Module with_bodies(const Halide::Module& module,
                           const std::function<Stmt(const LoweredFunc&)>& body) {
    Halide::Module changed(module.name(), module.target());
    for (const Halide::Buffer<>& buffer : module.buffers())
        changed.append(buffer);
    for (const LoweredFunc& function : module.functions()) {
        LoweredFunc copy = function;
        copy.body = body(function);
        changed.append(copy);
    }
    return changed;
}

Stmt prefetch_line(const std::string& buffer, const Expr& index, int level) {
    constexpr int for_reading = 0, data = 1; // and, of LLVM's localities, 3 for level 1 and so on
    const Expr base = Variable::make(Halide::type_of<const float*>(), buffer);
    const Expr bytes = Halide::cast<std::uint64_t>(Halide::cast<std::int64_t>(index) * 4);
    const Expr address = Reinterpret::make(Halide::UInt(64), base) + bytes;
    return Evaluate::make(Call::make(
        Halide::Int(32), "llvm.prefetch.p0",
        {Reinterpret::make(Halide::Handle(), address), Expr(for_reading), Expr(4 - level), Expr(data)},
        Call::Extern));
}

Halide::Module with_unaligned_outputs(const Halide::Module& module) {
    std::set<std::string> outputs;
    for (const LoweredFunc& function : module.functions())
        for (const LoweredArgument& argument : function.args)
            if (argument.is_output())
                outputs.insert(argument.name);
    return with_bodies(
        module, [&](const LoweredFunc& function) { return UnalignedLoads(outputs).mutate(function.body); });
}

} // namespace lamina
