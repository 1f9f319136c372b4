#include "generators/kernel_prefetch.hpp"

#include "generators/lowered_bodies.hpp"
#include "generators/packed_kernel.hpp"
#include "lamina/shapes.hpp"

#include <optional>
#include <string_view>
#include <utility>

namespace lamina {

namespace {

using namespace Halide::Internal;
using Halide::Expr;

// The packed kernel's blocks, which tiles go through one after the other, and the parts into which one is
// cut: one for each turn of the sum's innermost loops, over all tiles. A transformed kernel's blocks are of a
// pair of points each.
struct Parts {
    KernelLayout kernel;
    int tiles;

    int points() const { return kernel.points().height * kernel.points().width; }
    int blocks() const {
        const int of_channels = (kernel.out + kernel.block - 1) / kernel.block;
        return kernel.is_transformed() ? of_channels * points() : of_channels;
    }
    int block_floats() const { return kernel.block * kernel.in * rows() * columns(); }
    int lines() const { return (block_floats() + line_floats - 1) / line_floats; }
    // Of the loops around the sum's innermost one.
    int chunks() const { return kernel.is_transformed() ? 1 : kernel.in / kernel.chunk; }
    int rows() const { return kernel.is_transformed() ? 1 : kernel.height; }
    int columns() const { return kernel.is_transformed() ? 1 : kernel.width; }
    int count(int turns) const { return tiles * chunks() * rows() * columns() * turns; }
};

class HasLoop : public IRVisitor {
public:
    bool found = false;
    using IRVisitor::visit;
    void visit(const For*) override { found = true; }
};

bool is_innermost(const For* loop) {
    HasLoop inner;
    loop->body.accept(&inner);
    return !inner.found;
}

class InsertPrefetches : public IRMutator {
public:
    InsertPrefetches(const Parts& parts, const LoweredFunc& function) : parts_(parts) {
        for (const LoweredArgument& argument : function.args)
            names_.push_back(argument.name); // a parallel loop's variable is its body's argument
    }
    using IRMutator::mutate;

private:
    Parts parts_;
    std::vector<std::string> names_; // of variables around the statement
    int innermost_before_ = 0;       // loops of the sum next to each other, one for each column of the kernel

    // The loop over channels; of a transformed kernel's sum it is the only one.
    bool is_over_channels(const For* loop) const {
        return parts_.kernel.is_transformed() || loop->name.ends_with("$x.channel.channel");
    }

    using IRMutator::visit;

    // Of a loop over what is summed. Halide numbers names that it has given before:
    // sum$1.s1.window$2$x.chunk.
    bool is_of_sum(const std::string& name) const {
        const std::string sum = parts_.kernel.is_transformed() ? "product_sum" : "sum";
        return (name.starts_with(sum + ".") || name.starts_with(sum + "$")) &&
               name.find(".s1.") != std::string::npos;
    }

    // The variable around the statement whose name ends so, a loop of the sum's also before what Halide put
    // behind it; else `absent`.
    Expr variable(std::string_view ending, const Expr& absent) const {
        constexpr std::string_view shifted = ".rebased";
        for (std::string_view name : names_) {
            const std::string whole(name);
            if (is_of_sum(whole) && name.ends_with(shifted))
                name.remove_suffix(shifted.size());
            if (name.ends_with(ending))
                return Variable::make(Halide::Int(32), whole);
        }
        return absent;
    }

    Stmt visit(const For* loop) override {
        if (!is_of_sum(loop->name) || !is_innermost(loop)) {
            names_.push_back(loop->name);
            const int before = std::exchange(innermost_before_, 0);
            Stmt changed = IRMutator::visit(loop);
            innermost_before_ = before;
            names_.pop_back();
            return changed;
        }
        const Expr block = number_of_block();
        if (!block.defined())
            return loop;
        // A loop over the kernel's own axes is one of few turns, which are parts by themselves.
        const bool over_channels = is_over_channels(loop);
        const std::optional<std::int64_t> turns = as_const_int(loop->extent);
        if (over_channels && !turns)
            return loop;
        names_.push_back(loop->name);
        const Expr turn = over_channels ? Variable::make(Halide::Int(32), loop->name) - loop->min : Expr(0);
        const Stmt fetched = prefetches(block, turn, over_channels ? static_cast<int>(*turns) : 1);
        names_.pop_back();
        ++innermost_before_;
        return For::make(loop->name, loop->min, loop->extent, loop->for_type, loop->partition_policy,
                         loop->device_api, Block::make(fetched, loop->body));
    }

    // Of the block that is computed; undefined where no loop over blocks of channels is there. Groups of
    // transformed ones have such a loop only where they have several.
    Expr number_of_block() const {
        const KernelLayout& k = parts_.kernel;
        if (!k.is_transformed())
            return variable(".c.co", Expr());
        const Expr point = variable(".ay", 0) * k.points().width + variable(".ax", 0);
        return (variable(".c.group", 0) * parts_.points() + point) * k.blocks + variable(".c.co", 0);
    }

    Stmt prefetches(const Expr& block, const Expr& turn, int turns) const {
        const int lines = parts_.lines(), parts = parts_.count(turns),
                  lines_per_part = (lines + parts - 1) / parts;
        // Loops of one turn have no variable, and the last tile may stand outside the loop over tiles.
        const Expr tile = variable(".tile", parts_.tiles - 1), chunk = variable("$x.chunk", 0),
                   row = variable("$z", 0), column = variable("$y", innermost_before_);
        const Expr element =
            ((tile * parts_.chunks() + chunk) * parts_.rows() + row) * parts_.columns() + column;
        const Expr next = Halide::select(block + 1 < parts_.blocks(), block + 1, 0);
        const Expr start = Halide::cast<std::int64_t>(next) * parts_.block_floats();
        std::vector<Stmt> all;
        for (int i = 0; i < lines_per_part; ++i) {
            const Expr line = min((element * turns + turn) * lines_per_part + i, lines - 1);
            all.push_back(
                prefetch_line("packed_kernel", start + Halide::cast<std::int64_t>(line * line_floats), 2));
        }
        return Block::make(all);
    }
};

} // namespace

Halide::Module with_kernel_prefetch(const Halide::Module& module, const Problem& problem,
                                    const AlgorithmRequest& request) {
    if (request.prefetch_tiles == 0 || request.kernel_block == 0)
        return module;
    const Parts parts{kernel_layout(problem, request), request.prefetch_tiles};
    return with_bodies(module, [&](const LoweredFunc& function) {
        return InsertPrefetches(parts, function).mutate(function.body);
    });
}

} // namespace lamina
