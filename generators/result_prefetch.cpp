#include "generators/result_prefetch.hpp"

#include "generators/lowered_bodies.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lamina {

namespace {

using namespace Halide::Internal;
using Halide::Expr;

// The index of the first value that a statement stores in a buffer, by what is known before the statement.
class FirstStore : public IRVisitor {
public:
    explicit FirstStore(std::string_view buffer) : buffer_(buffer) {}
    Expr index;

private:
    std::string_view buffer_;
    std::vector<std::pair<std::string, Expr>> lets_;

    using IRVisitor::visit;

    void visit(const LetStmt* let) override {
        lets_.emplace_back(let->name, let->value);
        IRVisitor::visit(let);
        lets_.pop_back();
    }

    void visit(const Store* store) override {
        if (index.defined() || store->name != buffer_)
            return;
        const Ramp* ramp = store->index.as<Ramp>();
        index = ramp ? ramp->base : store->index;
        for (auto let = lets_.rbegin(); let != lets_.rend(); ++let)
            index = substitute(let->first, let->second, index);
    }
};

class InsertPrefetches : public IRMutator {
public:
    InsertPrefetches(const Problem& problem, const ResultPrefetch& request, const std::string& result)
        : request_(request), result_(result), has_residual_(problem.epilogue.has(Step::residual)),
          channels_(output_shape(problem).channels) {}
    using IRMutator::mutate;

private:
    const ResultPrefetch& request_;
    const std::string& result_;
    bool has_residual_;
    int channels_;

    using IRMutator::visit;

    // At a tile's beginning, so that its sums go on meanwhile: right before its own results are stored, those
    // and the residual's lines would wait behind what is fetched, and nothing was gained.
    Stmt visit(const For* loop) override {
        FirstStore first(result_);
        if (loop->name.ends_with(".tile"))
            loop->body.accept(&first);
        if (!first.index.defined())
            return IRMutator::visit(loop);
        return For::make(loop->name, loop->min, loop->extent, loop->for_type, loop->partition_policy,
                         loop->device_api, Block::make(prefetches(first.index), loop->body));
    }

    // Behind the last block they are the next position's first lines, which are little else.
    Stmt prefetches(const Expr& first) const {
        std::vector<Stmt> all;
        for (int position = 0; position < request_.positions; ++position)
            for (int channel = 0; channel < request_.channels; channel += line_floats) {
                const Expr index = Halide::cast<std::int64_t>(first) +
                                   Expr(std::int64_t{position} * channels_ + request_.channels + channel);
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
        return InsertPrefetches(p, request.result_prefetch, result).mutate(function.body);
    });
}

} // namespace lamina
