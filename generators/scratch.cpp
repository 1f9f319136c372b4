#include "generators/scratch.hpp"

#include "lamina/scratch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace lamina {

namespace {

using namespace Halide::Internal;

// Whether a buffer is only read and written at constant indices.
class IsAccessedAtConstants : public IRVisitor {
public:
    explicit IsAccessedAtConstants(std::string name) : name_(std::move(name)) {}
    bool result = true;

private:
    using IRVisitor::visit;

    std::string name_;

    void visit(const Load* op) override {
        result = result && (op->name != name_ || is_const(op->index));
        IRVisitor::visit(op);
    }
    void visit(const Store* op) override {
        result = result && (op->name != name_ || is_const(op->index));
        IRVisitor::visit(op);
    }
    void visit(const Variable* op) override { // a pointer to it, handed on
        result = result && op->name != name_ && op->name != name_ + ".buffer";
    }
};

// Lists allocations, and sums what nested ones ask of halide_malloc. Those that follow each other are counted
// as if nested, which errs on the safe side. Small constant ones lie on the stack, as in Halide's code
// generator.
class Allocations : public IRVisitor {
public:
    std::size_t scratch_bytes = 0;
    std::vector<Allocation> list;
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
        if (!op->new_expr.defined() && !is_const_zero(op->condition))
            add(op);
        IRVisitor::visit(op);
    }

    void add(const Allocate* op) {
        std::int64_t size = op->type.bytes();
        bool is_constant = true;
        for (const Halide::Expr& extent : op->extents) {
            const Halide::Expr bound = find_constant_bound(extent, Direction::Upper, scope_);
            const auto value = bound.defined() ? as_const_int(bound) : std::nullopt;
            if (!value) {
                if (op->memory_type != Halide::MemoryType::Stack)
                    error = fmt::format("the size of '{}' is not known before the call", op->name);
                return;
            }
            is_constant = is_constant && is_const(extent);
            size *= *value;
        }
        if (op->memory_type == Halide::MemoryType::Stack ||
            (is_constant && op->memory_type == Halide::MemoryType::Auto &&
             can_allocation_fit_on_stack(size))) {
            IsAccessedAtConstants constants(op->name);
            op->body.accept(&constants);
            list.push_back({op->name, static_cast<std::size_t>(size),
                            constants.result ? MemoryKind::registers : MemoryKind::stack});
            return;
        }
        size += static_cast<std::int64_t>(op->padding) * op->type.bytes();
        scratch_bytes += detail::scratch_block_size(static_cast<std::size_t>(size));
        list.push_back({op->name, static_cast<std::size_t>(size), MemoryKind::scratch});
    }
};

} // namespace

ScratchUse scratch_use(const Halide::Module& module, const std::string& function) {
    ScratchUse use;
    for (const LoweredFunc& lowered : module.functions()) {
        Allocations allocations;
        lowered.body.accept(&allocations);
        // Lowering has made every parallel loop's body a function of its own.
        const bool is_per_thread = lowered.name != function;
        (is_per_thread ? use.per_thread : use.serial) += allocations.scratch_bytes;
        for (Allocation& allocation : allocations.list) {
            allocation.is_per_thread = is_per_thread;
            use.allocations.push_back(std::move(allocation));
        }
        if (!allocations.error.empty())
            use.error = allocations.error;
    }
    // Scratch, which whoever reads the list looks for, before what lies on the stack and in registers;
    // modules have the functions of inner loops first.
    std::ranges::stable_sort(use.allocations, std::ranges::greater(), &Allocation::kind);
    use.serial = detail::scratch_stack_size(use.serial);
    use.per_thread = detail::scratch_stack_size(use.per_thread);
    return use;
}

} // namespace lamina
