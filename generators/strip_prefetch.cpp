#include "generators/strip_prefetch.hpp"

#include "generators/lowered_bodies.hpp"
#include "lamina/equivalents.hpp"

namespace lamina {

namespace {

using namespace Halide::Internal;
using Halide::Expr;

// The map that is fetched, and how.
struct Ahead {
    std::string_view map;
    std::int64_t floats; // to the next strip
    int lines;           // of a tile at one position
};

Ahead ahead_of(const Problem& problem, const AlgorithmRequest& request) {
    const Problem p = as_pointwise(problem);
    const bool is_out = p.in.channels < p.out_channels;
    return {is_out ? "output_gradient" : "input",
            std::int64_t{request.window.positions} * (is_out ? p.out_channels : p.in.channels),
            request.window.prefetch_lines};
}

// The index of the first value that an expression loads of a map.
class FirstLoad : public IRVisitor {
public:
    explicit FirstLoad(std::string_view map) : map_(map) {}
    Expr index;

private:
    std::string_view map_;

    using IRVisitor::visit;

    void visit(const Load* load) override {
        if (index.defined() || load->name != map_)
            return IRVisitor::visit(load);
        const Ramp* ramp = load->index.as<Ramp>();
        index = ramp ? ramp->base : load->index;
    }
};

class InsertPrefetches : public IRMutator {
public:
    explicit InsertPrefetches(const Ahead& ahead) : ahead_(ahead) {}
    using IRMutator::mutate;

private:
    Ahead ahead_;
    bool is_due_ = false; // in this turn of the sum's loop

    using IRMutator::visit;

    Stmt visit(const For* loop) override {
        is_due_ = loop->name.starts_with("sum") && loop->name.find(".s1.window") != std::string::npos;
        Stmt changed = IRMutator::visit(loop);
        is_due_ = false;
        return changed;
    }

    Stmt visit(const Store* store) override {
        if (!is_due_)
            return IRMutator::visit(store);
        FirstLoad first(ahead_.map);
        store->value.accept(&first);
        if (!first.index.defined())
            return IRMutator::visit(store);
        is_due_ = false;
        std::vector<Stmt> all;
        all.reserve(static_cast<std::size_t>(ahead_.lines) + 1);
        for (int line = 0; line < ahead_.lines; ++line)
            all.push_back(prefetch_line(
                std::string(ahead_.map),
                Halide::cast<std::int64_t>(first.index) + Expr(ahead_.floats + line * line_floats), 1));
        all.emplace_back(store);
        return Block::make(all);
    }
};

} // namespace

Halide::Module with_strip_prefetch(const Halide::Module& module, const Problem& problem,
                                   const AlgorithmRequest& request) {
    if (request.window.prefetch_lines == 0)
        return module;
    return with_bodies(module, [&](const LoweredFunc& function) {
        return InsertPrefetches(ahead_of(problem, request)).mutate(function.body);
    });
}

} // namespace lamina
