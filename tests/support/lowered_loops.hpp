// Kernels as Halide's loops, and a walk through them: for tests of what is changed between Halide's lowering
// and machine code.
#pragma once

#include "lamina/problem.hpp"
#include "schedules/family.hpp"

#include <Halide.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace lamina::testing {

// A problem for AVX2 with a schedule, as lowered and as it is requested.
struct LoweredKernel {
    Problem problem;
    AlgorithmRequest request;
    Halide::Module module;
};

// Fails the test where the problem or the schedule is refused. The kernel is "packed", whose name is all that
// matters here.
LoweredKernel lowered(const std::string& problem, const std::string& schedule);

// Whether turns of a loop are tasks whose name, with '_' for each '.', contains `loop`.
bool has_tasks(const Halide::Module& module, std::string_view loop);

// Runs the loops of a module, turn by turn, and hands on the calls in them.
class RunLoops : public Halide::Internal::IRVisitor {
public:
    // `arguments` are values of the functions' integer arguments, by the endings of their names.
    void run(const Halide::Module& module, const std::map<std::string, int>& arguments);

protected:
    virtual void called(const Halide::Internal::Call* call) = 0;
    // Before each turn of a loop.
    virtual void turned() {}
    // In this turn; fails the test where that is not known.
    std::int64_t value(const Halide::Expr& e) const;

    using IRVisitor::visit;
    void visit(const Halide::Internal::For* loop) override;
    void visit(const Halide::Internal::LetStmt* let) override;
    void visit(const Halide::Internal::IfThenElse* branch) override;
    void visit(const Halide::Internal::Call* call) override;

private:
    std::map<std::string, Halide::Expr> values_;

    Halide::Expr simplified(const Halide::Expr& e) const;
};

// Which cache lines of a buffer prefetch_line() would fetch, from its first one on, and how often each. A
// check fails where it would fetch those of another buffer, but for the one that may be fetched beside it.
class FetchedLines : public RunLoops {
public:
    explicit FetchedLines(std::string buffer, std::string beside = "")
        : buffer_(std::move(buffer)), beside_(std::move(beside)) {}

    std::map<std::int64_t, int> lines;
    int most_in_a_turn = 0; // of a loop

private:
    std::string buffer_, beside_;
    int in_turn_ = 0;

    void called(const Halide::Internal::Call* call) override;
    void turned() override { in_turn_ = 0; }
};

} // namespace lamina::testing
