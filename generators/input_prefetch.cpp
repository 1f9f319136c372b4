#include "generators/input_prefetch.hpp"

#include "generators/lowered_bodies.hpp"
#include "lamina/equivalents.hpp"
#include "lamina/operands.hpp"
#include "lamina/shapes.hpp"

#include <algorithm>

namespace lamina {

namespace {

using namespace Halide::Internal;
using Halide::Expr;

// A strip's input as far as the strip before has not read it, and the loops that fetch it.
struct Ahead {
    std::string map;
    std::int64_t image_floats; // of the map
    int strips, row_floats;
    int first_row, rows;          // of the strip behind the first one
    std::vector<NamedLoop> loops; // those that count strips, and then those through a strip
    std::size_t counting;         // of them

    int lines() const { return (rows * row_floats + line_floats - 1) / line_floats; }
};

Ahead ahead_of(const Problem& problem, const AlgorithmRequest& whole) {
    const InputPrefetch& request = whole.input_prefetch;
    const Problem p = sums_as_requested(problem, whole);
    const detail::Axis rows = detail::rows(p);
    const int behind = static_cast<int>(rows.extent() - rows.begin); // the first window's end
    Ahead ahead{.map = std::string(batch_operand(problem.op)),
                .image_floats = std::int64_t{p.in.height} * p.in.width * p.in.channels,
                .strips = output_shape(p).height / request.rows,
                .row_floats = p.in.width * p.in.channels,
                .first_row = behind + (request.rows - 1) * p.stride.height,
                .rows = request.rows * p.stride.height,
                .loops = request.strips,
                .counting = request.strips.size()};
    ahead.loops.insert(ahead.loops.end(), request.parts.begin(), request.parts.end());
    return ahead;
}

// What Halide puts behind the name of a loop that it begins at 0.
constexpr std::string_view rebased = ".rebased";

bool is_named(std::string_view name, const NamedLoop& loop) {
    if (name.ends_with(rebased))
        name.remove_suffix(rebased.size());
    return name.ends_with(loop.ending);
}

// Whether there is a loop in a statement that is one of those from number `first` on.
class HasLoop : public IRVisitor {
public:
    HasLoop(const Ahead& ahead, std::size_t first) : ahead_(ahead), first_(first) {}
    bool found = false;

private:
    const Ahead& ahead_;
    std::size_t first_;

    using IRVisitor::visit;

    void visit(const For* loop) override {
        for (std::size_t i = first_; i < ahead_.loops.size(); ++i)
            found = found || is_named(loop->name, ahead_.loops[i]);
        IRVisitor::visit(loop);
    }
};

class InsertPrefetches : public IRMutator {
public:
    InsertPrefetches(const Ahead& ahead, const LoweredFunc& function)
        : ahead_(ahead), turns_(ahead.loops.size()), is_behind_(ahead.loops.size()) {
        for (const LoweredArgument& argument : function.args) // a parallel loop's variable is its body's
            if (const std::size_t i = number_of(argument.name); i < turns_.size())
                turns_[i] = Variable::make(Halide::Int(32), argument.name);
    }
    using IRMutator::mutate;

private:
    const Ahead& ahead_;
    std::vector<Expr> turns_;     // of the loops around the statement
    std::vector<bool> is_behind_; // whether the loop was gone through before, next to the statement

    using IRMutator::visit;

    std::size_t number_of(std::string_view name) const {
        return static_cast<std::size_t>(
            std::ranges::find_if(ahead_.loops, [&](const NamedLoop& loop) { return is_named(name, loop); }) -
            ahead_.loops.begin());
    }

    Stmt visit(const For* loop) override {
        const std::size_t number = number_of(loop->name);
        if (number == ahead_.loops.size())
            return IRMutator::visit(loop);
        for (std::size_t i = number + 1; i < is_behind_.size(); ++i)
            is_behind_[i] = false;
        HasLoop inner(ahead_, number + 1);
        loop->body.accept(&inner);
        const bool fetches = number >= ahead_.counting && !inner.found && turns_.front().defined();
        turns_[number] = turn_of(loop, ahead_.loops[number].turns);
        Stmt changed =
            fetches ? For::make(loop->name, loop->min, loop->extent, loop->for_type, loop->partition_policy,
                                loop->device_api, Block::make(prefetches(loop, number), loop->body))
                    : IRMutator::visit(loop);
        turns_[number] = Expr();
        is_behind_[number] = true;
        return changed;
    }

    // Of a loop that Halide begins at 0 behind turns of their own, as many follow it.
    static Expr turn_of(const For* loop, int turns) {
        Expr turn = Variable::make(Halide::Int(32), loop->name);
        const std::optional<std::int64_t> extent = as_const_int(loop->extent);
        if (!loop->name.ends_with(rebased) || !extent)
            return turn;
        return turn + static_cast<int>((turns - *extent + 1) / 2);
    }

    // Of loops from number `begin` to `end` as if they were one. Those of a single turn have no variable, and
    // the first or the last turn may stand outside.
    Expr turn(std::size_t begin, std::size_t end) const {
        Expr all = 0;
        for (std::size_t i = begin; i < end; ++i) {
            const int turns = ahead_.loops[i].turns;
            all = all * turns + (turns_[i].defined() ? turns_[i] : Expr(is_behind_[i] ? turns - 1 : 0));
        }
        return all;
    }

    // Of the innermost loop, of which these are the turns that there are. Behind an image's last strip comes
    // the next image's first one, which is little else.
    Stmt prefetches(const For* loop, std::size_t number) const {
        const std::optional<std::int64_t> extent = as_const_int(loop->extent);
        const int turns = extent ? static_cast<int>(*extent) : ahead_.loops[number].turns;
        int parts = turns;
        for (std::size_t i = ahead_.counting; i < number; ++i)
            parts *= ahead_.loops[i].turns;
        const int lines = ahead_.lines(), lines_per_part = (lines + parts - 1) / parts;
        const Expr part = turn(ahead_.counting, number) * turns +
                          (Variable::make(Halide::Int(32), loop->name) - loop->min),
                   strip = turn(0, ahead_.counting);
        const Expr row = strip % ahead_.strips * ahead_.rows + ahead_.first_row;
        const Expr image = Halide::cast<std::int64_t>(strip / ahead_.strips) * Expr(ahead_.image_floats);
        const Expr start = image + Halide::cast<std::int64_t>(row) * ahead_.row_floats;
        std::vector<Stmt> all;
        for (int i = 0; i < lines_per_part; ++i) {
            const Expr line = min(part * lines_per_part + i, lines - 1);
            all.push_back(
                prefetch_line(ahead_.map, start + Halide::cast<std::int64_t>(line * line_floats), 2));
        }
        return Block::make(all);
    }
};

} // namespace

Halide::Module with_input_prefetch(const Halide::Module& module, const Problem& problem,
                                   const AlgorithmRequest& request) {
    if (request.input_prefetch.rows == 0)
        return module;
    const Ahead ahead = ahead_of(problem, request);
    return with_bodies(module, [&](const LoweredFunc& function) {
        return InsertPrefetches(ahead, function).mutate(function.body);
    });
}

} // namespace lamina
