#include "generators/input_prefetch.hpp"

#include "generators/lowered_bodies.hpp"
#include "lamina/shapes.hpp"

#include <string_view>

namespace lamina {

namespace {

using namespace Halide::Internal;
using Halide::Expr;

// A strip's input as far as the strip before has not read it, and the parts into which it is cut.
struct Parts {
    int strips, image_floats, row_floats;
    int first_row, rows; // of the strip behind the first one, in the input
    int tiles, blocks;

    int lines() const { return (rows * row_floats + line_floats - 1) / line_floats; }
};

Parts parts_of(const Problem& p, const AlgorithmRequest& request) {
    const detail::Axis rows = detail::rows(p);
    const int stride = p.stride.height, strip = request.separable.rows;
    const int behind = static_cast<int>(rows.extent() - rows.begin); // the first window's end
    return {.strips = output_shape(p).height / strip,
            .image_floats = p.in.height * p.in.width * p.in.channels,
            .row_floats = p.in.width * p.in.channels,
            .first_row = behind + (strip - 1) * stride,
            .rows = strip * stride,
            .tiles = request.prefetch_tiles,
            .blocks = (p.out_channels + request.kernel_block - 1) / request.kernel_block};
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

    // The variable of the output's loop whose name ends so, or `absent`.
    Expr variable(std::string_view ending, const Expr& absent) const {
        for (const std::string& name : names_)
            if (name.starts_with("result") && name.ends_with(ending))
                return Variable::make(Halide::Int(32), name);
        return absent;
    }

    // Of the loop over the channels that are summed, the innermost of all.
    static bool is_of_sum(const std::string& name) {
        return name.starts_with("sum") && name.find(".s1.window") != std::string::npos;
    }

    Stmt visit(const For* loop) override {
        names_.push_back(loop->name);
        Stmt changed = IRMutator::visit(loop);
        const Expr task = variable(".task", Expr());
        const std::optional<std::int64_t> turns = as_const_int(loop->extent);
        if (task.defined() && turns && is_of_sum(loop->name))
            changed = For::make(
                loop->name, loop->min, loop->extent, loop->for_type, loop->partition_policy, loop->device_api,
                Block::make(prefetches(task, Variable::make(Halide::Int(32), loop->name) - loop->min,
                                       static_cast<int>(*turns)),
                            loop->body));
        names_.pop_back();
        return changed;
    }

    // Behind an image's last strip comes the next image's first one, which is little else.
    Stmt prefetches(const Expr& task, const Expr& turn, int turns) const {
        const int lines = parts_.lines(), parts = parts_.tiles * parts_.blocks * turns,
                  lines_per_part = (lines + parts - 1) / parts;
        // Loops of one turn have no variable, and the last tile may stand outside the loop over tiles.
        const Expr block = variable(".c.co", parts_.blocks - 1), tile = variable(".p.tile", parts_.tiles - 1);
        const Expr part = (block * parts_.tiles + tile) * turns + turn;
        const Expr row = task % parts_.strips * parts_.rows + parts_.first_row;
        const Expr image = Halide::cast<std::int64_t>(task / parts_.strips) * parts_.image_floats;
        const Expr start = image + Halide::cast<std::int64_t>(row) * parts_.row_floats;
        std::vector<Stmt> all;
        for (int i = 0; i < lines_per_part; ++i) {
            const Expr line = min(part * lines_per_part + i, lines - 1);
            all.push_back(prefetch_line("input", start + Halide::cast<std::int64_t>(line * line_floats), 2));
        }
        return Block::make(all);
    }
};

} // namespace

Halide::Module with_input_prefetch(const Halide::Module& module, const Problem& problem,
                                   const AlgorithmRequest& request) {
    if (request.prefetch_tiles == 0 || request.separable.rows == 0)
        return module;
    return with_bodies(module, [&](const LoweredFunc& function) {
        return InsertPrefetches(parts_of(problem, request), function).mutate(function.body);
    });
}

} // namespace lamina
