#include "generators/scratch.hpp"

#include "lamina/scratch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

namespace lamina {

namespace {

using namespace Halide::Internal;

using Values = std::map<std::string, Halide::Expr>; // of variables

// Whether a buffer is only read and written at constant indices, also where these are differences of
// variables of the same value.
class IsAccessedAtConstants : public IRVisitor {
public:
    IsAccessedAtConstants(std::string name, Values values)
        : name_(std::move(name)), values_(std::move(values)) {}
    bool result = true;

private:
    using IRVisitor::visit;

    std::string name_;
    Values values_;

    bool is_constant(Halide::Expr index) const {
        constexpr int values_of_values = 8;
        for (int i = 0; i < values_of_values && !is_const(index); ++i)
            index = simplify(substitute(values_, index));
        return is_const(index);
    }

    void visit(const LetStmt* op) override {
        values_[op->name] = op->value;
        IRVisitor::visit(op);
    }
    void visit(const Load* op) override {
        result = result && (op->name != name_ || is_constant(op->index));
        IRVisitor::visit(op);
    }
    void visit(const Store* op) override {
        result = result && (op->name != name_ || is_constant(op->index));
        IRVisitor::visit(op);
    }
    void visit(const Variable* op) override { // a pointer to it, handed on
        result = result && op->name != name_ && op->name != name_ + ".buffer";
    }
};

// Lists a function's allocations, and finds the most bytes that they ask of halide_malloc at the same time,
// as do those of the parallel loops in it, by the functions that lowering has made of their bodies. Small
// constant allocations lie on the stack, as in Halide's code generator.
class Allocations : public IRVisitor {
public:
    explicit Allocations(const std::map<std::string, std::size_t>& bytes_of_tasks)
        : bytes_of_tasks_(bytes_of_tasks) {}

    std::size_t most_bytes = 0;    // of its own
    std::size_t most_in_tasks = 0; // of one of the loops'
    std::size_t most_together = 0; // of its own and what a loop in their midst takes
    std::set<std::string> tasks;   // the functions of those loops
    std::vector<Allocation> list;
    std::string error;

private:
    using IRVisitor::visit;

    const std::map<std::string, std::size_t>& bytes_of_tasks_;
    std::size_t live_bytes_ = 0;
    Values values_;
    Halide::Internal::Scope<Interval> scope_;

    // Names of functions have "::" before them.
    void visit(const Variable* op) override {
        const auto task =
            op->name.starts_with("::") ? bytes_of_tasks_.find(op->name.substr(2)) : bytes_of_tasks_.end();
        if (task == bytes_of_tasks_.end())
            return;
        tasks.insert(task->first);
        most_in_tasks = std::max(most_in_tasks, task->second);
        most_together = std::max(most_together, live_bytes_ + task->second);
    }

    void visit(const LetStmt* op) override {
        op->value.accept(this); // a loop's call may be there
        values_[op->name] = op->value;
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
        const std::size_t before = live_bytes_;
        if (!op->new_expr.defined() && !is_const_zero(op->condition))
            add(op);
        IRVisitor::visit(op);
        live_bytes_ = before; // at the latest: Halide may free it sooner
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
            IsAccessedAtConstants constants(op->name, values_);
            op->body.accept(&constants);
            list.push_back({op->name, static_cast<std::size_t>(size),
                            constants.result ? MemoryKind::registers : MemoryKind::stack});
            return;
        }
        size += static_cast<std::int64_t>(op->padding) * op->type.bytes();
        live_bytes_ += detail::scratch_block_size(static_cast<std::size_t>(size));
        most_bytes = std::max(most_bytes, live_bytes_);
        most_together = std::max(most_together, live_bytes_);
        list.push_back({op->name, static_cast<std::size_t>(size), MemoryKind::scratch});
    }
};

} // namespace

ScratchUse scratch_use(const Halide::Module& module, const std::string& function) {
    ScratchUse use;
    std::map<std::string, std::size_t> bytes_of_tasks;
    std::set<std::string> called;
    for (const LoweredFunc& lowered : module.functions()) { // those of inner loops first
        Allocations allocations(bytes_of_tasks);
        lowered.body.accept(&allocations);
        // Lowering has made every parallel loop's body a function of its own.
        const bool is_per_thread = lowered.name != function;
        bytes_of_tasks[lowered.name] = allocations.most_together;
        called.merge(allocations.tasks);
        if (!is_per_thread) {
            use.serial = allocations.most_bytes;
            use.per_thread = allocations.most_in_tasks;
        }
        for (Allocation& allocation : allocations.list) {
            allocation.is_per_thread = is_per_thread;
            use.allocations.push_back(std::move(allocation));
        }
        if (!allocations.error.empty())
            use.error = allocations.error;
    }
    for (const auto& [name, bytes] : bytes_of_tasks)
        if (name != function && !called.contains(name))
            use.error = fmt::format("the loop of '{}' is not called, so that its scratch is not known", name);
    // Scratch, which whoever reads the list looks for, before what lies on the stack and in registers.
    std::ranges::stable_sort(use.allocations, std::ranges::greater(), &Allocation::kind);
    use.serial = detail::scratch_stack_size(use.serial);
    use.per_thread = detail::scratch_stack_size(use.per_thread);
    return use;
}

} // namespace lamina
