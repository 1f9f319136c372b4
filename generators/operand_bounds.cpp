#include "generators/operand_bounds.hpp"

#include <fmt/format.h>

#include <map>

namespace lamina {

namespace {

using namespace Halide::Internal;

// Halide asserts what is true of an operand's shape, and that what the kernel touches lies inside of it.
class Assertions : public IRVisitor {
public:
    std::map<std::string, Halide::Expr> shape; // of operands, by Halide's names of extents and so on
    std::vector<const AssertStmt*> accesses;

private:
    using IRVisitor::visit;

    void visit(const AssertStmt* op) override {
        const Call* call = op->message.as<Call>();
        const EQ* equality = op->condition.as<EQ>();
        const Variable* name = equality ? equality->a.as<Variable>() : nullptr;
        if (call && name && call->name == "halide_error_constraint_violated" && is_const(equality->b))
            shape[name->name] = equality->b;
        if (call && call->name == "halide_error_access_out_of_bounds")
            accesses.push_back(op);
    }
};

// From (operand, dimension, first touched, last touched, first, last).
std::string sentence(const AssertStmt& access) {
    const std::vector<Halide::Expr>& arguments = access.message.as<Call>()->args;
    const StringImm* operand = arguments[0].as<StringImm>();
    std::ostringstream text;
    text << "the schedule reaches outside of " << (operand ? operand->value : "an operand") << ": from "
         << arguments[2] << " to " << arguments[3] << " in dimension " << arguments[1];
    return text.str();
}

} // namespace

std::string why_out_of_bounds(const Halide::Module& module, const std::string& function) {
    Assertions assertions;
    for (const LoweredFunc& lowered : module.functions())
        if (lowered.name == function)
            lowered.body.accept(&assertions);
    for (const AssertStmt* access : assertions.accesses)
        if (is_const_zero(simplify(substitute(assertions.shape, access->condition))))
            return sentence(*access);
    return "";
}

} // namespace lamina
