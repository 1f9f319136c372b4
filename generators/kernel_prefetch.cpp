#include "generators/kernel_prefetch.hpp"

#include "generators/lowered_bodies.hpp"
#include "lamina/shapes.hpp"

#include <string_view>

namespace lamina {

namespace {

using namespace Halide::Internal;
using Halide::Expr;

// The parts into which a block's kernel is cut: one for each innermost loop of the sum, over all tiles.
struct Parts {
    int blocks, block_floats;
    int tiles, chunks, rows, columns;

    int per_tile() const { return chunks * rows * columns; }
    int floats() const {
        const int parts = tiles * per_tile();
        return (block_floats + parts * line_floats - 1) / (parts * line_floats) * line_floats;
    }
};

Parts parts_of(const Problem& problem, const AlgorithmRequest& request) {
    const Problem p = as_convolution(problem);
    const int channels = p.in.channels / p.groups;
    const int chunk = request.kernel_chunk > 0 ? request.kernel_chunk : channels;
    return {.blocks = (p.out_channels + request.kernel_block - 1) / request.kernel_block,
            .block_floats = request.kernel_block * channels * p.kernel_size.width * p.kernel_size.height,
            .tiles = request.prefetch_tiles,
            .chunks = channels / chunk,
            .rows = p.kernel_size.height,
            .columns = p.kernel_size.width};
}

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

    using IRMutator::visit;

    // Of a loop over the window. Halide numbers names that it has given before: sum$1.s1.window$2$x.chunk.
    static bool is_of_sum(const std::string& name) {
        return (name.starts_with("sum.") || name.starts_with("sum$")) &&
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
            Stmt changed = IRMutator::visit(loop);
            names_.pop_back();
            return changed;
        }
        const Expr block = variable(".c.co", Expr());
        return block.defined() ? Block::make(prefetch(block), loop) : Stmt(loop);
    }

    Stmt prefetch(const Expr& block) const {
        // Loops of one turn have no variable, and the last tile may stand outside the loop over tiles.
        const Expr tile = variable(".tile", parts_.tiles - 1), chunk = variable("$x.chunk", 0),
                   row = variable("$z", 0), column = variable("$y", 0);
        const Expr part = tile * parts_.per_tile() + (chunk * parts_.rows + row) * parts_.columns + column;
        const Expr next = Halide::select(block + 1 < parts_.blocks, block + 1, 0);
        const Expr first = part * parts_.floats();
        const Expr at = Halide::cast<std::int64_t>(next) * parts_.block_floats + first;
        const Expr call = Call::make(
            Halide::Int(32), "lamina_prefetch",
            {Variable::make(Halide::type_of<const float*>(), "packed_kernel"), at, Expr(parts_.floats())},
            Call::Extern);
        return IfThenElse::make(first < parts_.block_floats, Evaluate::make(call));
    }
};

} // namespace

Halide::Module with_kernel_prefetch(const Halide::Module& module, const Problem& problem,
                                    const AlgorithmRequest& request) {
    if (request.prefetch_tiles == 0 || request.kernel_block == 0 || request.separable.rows > 0)
        return module;
    return with_bodies(module, [&](const LoweredFunc& function) {
        return InsertPrefetches(parts_of(problem, request), function).mutate(function.body);
    });
}

} // namespace lamina
