#include "generators/result_prefetch.hpp"

#include "generators/lowered_bodies.hpp"

#include <string_view>
#include <utility>

namespace lamina {

namespace {

using namespace Halide::Internal;
using Halide::Expr;

class InsertPrefetches : public IRMutator {
public:
    InsertPrefetches(const Problem& problem, const ResultPrefetch& request, std::string result,
                     const LoweredFunc& function)
        : request_(request), result_(std::move(result)), has_residual_(problem.epilogue.has(Step::residual)),
          channels_(output_shape(problem).channels) {
        for (const LoweredArgument& argument : function.args)
            names_.push_back(argument.name); // a parallel loop's variable is its body's argument
    }
    using IRMutator::mutate;

private:
    const ResultPrefetch& request_;
    std::string result_;
    bool has_residual_;
    int channels_;
    std::vector<std::string> names_; // of variables around the statement

    using IRMutator::visit;

    // The variable whose name ends so; undefined where there is none.
    Expr variable(std::string_view ending) const {
        for (const std::string& name : names_)
            if (name.ends_with(ending))
                return Variable::make(Halide::Int(32), name);
        return {};
    }

    Stmt visit(const For* loop) override {
        names_.push_back(loop->name);
        const Expr strip = variable(".task"), block = variable(".c.co");
        Stmt changed = loop->name.ends_with(".tile") && strip.defined() && block.defined()
                           ? For::make(loop->name, loop->min, loop->extent, loop->for_type,
                                       loop->partition_policy, loop->device_api,
                                       Block::make(prefetches(strip, block, variable(".tile")), loop->body))
                           : IRMutator::visit(loop);
        names_.pop_back();
        return changed;
    }

    // Behind the last block they are the next positions' first lines, which are little else.
    Stmt prefetches(const Expr& strip, const Expr& block, const Expr& tile) const {
        const int last = request_.strip_positions - request_.positions;
        const Expr first = strip * request_.strip_positions + min(tile * request_.positions, last);
        const Expr start = Halide::cast<std::int64_t>(first) * channels_ + (block + 1) * request_.channels;
        std::vector<Stmt> all;
        for (int position = 0; position < request_.positions; ++position)
            for (int line = 0; line * line_floats < request_.channels; ++line) {
                const Expr index = start + Expr(std::int64_t{position} * channels_ + line * line_floats);
                if (has_residual_)
                    all.push_back(prefetch_line("residual", index, 2));
                all.push_back(prefetch_line(result_, index, 2));
            }
        return Block::make(all);
    }
};

// The output's name, behind which Halide puts a number where it has given it before.
std::string result_of(const Halide::Module& module) {
    for (const LoweredFunc& function : module.functions())
        for (const LoweredArgument& argument : function.args)
            if (argument.is_output())
                return argument.name;
    return "";
}

} // namespace

Halide::Module with_result_prefetch(const Halide::Module& module, const Problem& problem,
                                    const AlgorithmRequest& request) {
    if (request.result_prefetch.positions == 0)
        return module;
    const Problem p = as_convolution(problem);
    const std::string result = result_of(module);
    return with_bodies(module, [&](const LoweredFunc& function) {
        return InsertPrefetches(p, request.result_prefetch, result, function).mutate(function.body);
    });
}

} // namespace lamina
