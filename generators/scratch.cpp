#include "generators/scratch.hpp"

#include "lamina/scratch.hpp"

#include <fmt/format.h>

namespace lamina {

namespace {

using namespace Halide::Internal;

// Sums what nested allocations ask of halide_malloc. Allocations that follow each other are counted as if
// nested, which errs on the safe side. Small constant ones lie on the stack, as in Halide's code generator.
class HeapAllocations : public IRVisitor {
public:
    std::size_t bytes = 0;
    std::string error;

private:
    using IRVisitor::visit;

    Halide::Internal::Scope<Interval> scope_;

    void visit(const LetStmt* op) override {
        ScopedBinding<Interval> bind(scope_, op->name, find_constant_bounds(op->value, scope_));
        op->body.accept(this);
    }

    void visit(const For* op) override {
        const Interval min = find_constant_bounds(op->min, scope_),
                       extent = find_constant_bounds(op->extent, scope_);
        Interval loop = Interval::everything();
        if (min.is_bounded() && extent.is_bounded())
            loop = Interval(min.min, simplify(min.max + extent.max - 1));
        ScopedBinding<Interval> bind(scope_, op->name, loop);
        op->body.accept(this);
    }

    void visit(const Allocate* op) override {
        count(op);
        IRVisitor::visit(op);
    }

    void count(const Allocate* op) {
        if (op->new_expr.defined() || op->memory_type == Halide::MemoryType::Stack ||
            is_const_zero(op->condition))
            return;
        std::int64_t size = op->type.bytes();
        bool is_constant = true;
        for (const Halide::Expr& extent : op->extents) {
            const Halide::Expr bound = find_constant_bound(extent, Direction::Upper, scope_);
            const auto value = bound.defined() ? as_const_int(bound) : std::nullopt;
            if (!value) {
                error = fmt::format("the size of '{}' is not known before the call", op->name);
                return;
            }
            is_constant = is_constant && is_const(extent);
            size *= *value;
        }
        if (is_constant && op->memory_type == Halide::MemoryType::Auto && can_allocation_fit_on_stack(size))
            return;
        size += static_cast<std::int64_t>(op->padding) * op->type.bytes();
        bytes += detail::scratch_block_size(static_cast<std::size_t>(size));
    }
};

} // namespace

ScratchUse scratch_use(const Halide::Module& module, const std::string& function) {
    ScratchUse use;
    for (const LoweredFunc& lowered : module.functions()) {
        HeapAllocations allocations;
        lowered.body.accept(&allocations);
        // Lowering has made every parallel loop's body a function of its own.
        (lowered.name == function ? use.serial : use.per_thread) += allocations.bytes;
        if (!allocations.error.empty())
            use.error = allocations.error;
    }
    use.serial = detail::scratch_stack_size(use.serial);
    use.per_thread = detail::scratch_stack_size(use.per_thread);
    return use;
}

} // namespace lamina
