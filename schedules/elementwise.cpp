// The loop nest of what goes through its maps element by element: tasks of many elements, each in vectors.
#include "schedules/nests.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lamina {

namespace {

constexpr int least_elements = 1024;

// Nothing is computed twice, or behind the end, because an output may be an input's memory.
constexpr auto tail = Halide::TailStrategy::GuardWithIf;

std::int64_t elements_of_call(const Situation& s) {
    return main_result(s.problem).elements();
}

std::string fits(const Situation& s) {
    if (s.target->is_gpu)
        return fmt::format("target {} has no CPU vectors", s.target->name);
    const Operator op = s.problem.op;
    if (is_elementwise(s.problem) || is_update(op) || op == Operator::mean_squared_error_input_gradient)
        return "";
    return fmt::format("it schedules what each element of the result has its own operands for, not {}",
                       facts(op).name);
}

std::vector<int> vector_choices(const Situation&) {
    return {1, 2, 4};
}

// Up to a single task for all.
std::vector<int> element_choices(const Situation& s) {
    constexpr int most_elements = 1 << 20;
    std::vector<int> values{least_elements};
    while (values.back() < elements_of_call(s) && values.back() < most_elements)
        values.push_back(2 * values.back());
    return values;
}

std::string legal(const Situation& s, const Knobs& knobs) {
    const int vectors = knobs.get("vectors", 1), elements = knobs.get("elements", least_elements);
    if (!contains(vector_choices(s), vectors))
        return fmt::format("vectors:{}: must be 1, 2 or 4, because code grows with it", vectors);
    if (!contains(element_choices(s), elements))
        return fmt::format(
            "elements:{}: must be a power of two from {} to {}, so that tasks hold whole vectors "
            "and the last one has some of the result's {} elements",
            elements, least_elements, element_choices(s).back(), elements_of_call(s));
    return "";
}

// Tasks whose parts of all operands stay in the L2 cache: each of them is read and written once, and what was
// computed last is the first to be wanted by whoever goes on with it.
Knobs defaults(const Situation& s, const Knobs&) {
    const int bytes = 4 * operands(s.problem).count;
    int elements = least_elements;
    for (const int choice : element_choices(s))
        if (static_cast<std::int64_t>(choice) * bytes <= s.target->l2_bytes)
            elements = choice;
    return {{"vectors", 2}, {"elements", elements}};
}

AlgorithmRequest request(const Situation&, const Knobs&) {
    return {};
}

void apply(Stages& a, const Situation& s, const Knobs& knobs) {
    schedule_elementwise(a, s, {.vectors = knobs.get("vectors"), .elements = knobs.get("elements")});
}

} // namespace

namespace {

// The loops over tasks, the innermost first, of a result whose rows lie along args[0]; splits off what one
// task goes through.
std::vector<Halide::Var> split_tasks(Halide::Func& output, const Operand& result, int elements) {
    const std::vector<Halide::Var> args = output.args();
    const auto extent = [&](std::size_t d) {
        return result.shape[static_cast<std::size_t>(result.rank) - 1 - d];
    };
    const Halide::Var task("task"), rows("rows");
    if (extent(0) > elements) {
        output.split(args[0], task, args[0], elements, tail);
        std::vector<Halide::Var> tasks = args;
        tasks[0] = task;
        return tasks;
    }
    std::size_t first = 1; // of the loops over rows that are taken more than once
    while (first < args.size() && extent(first) == 1)
        ++first;
    std::vector<Halide::Var> tasks;
    for (std::size_t d = first; d < args.size(); ++d)
        tasks.push_back(args[d]);
    if (tasks.empty() || extent(first) == open_batch)
        return tasks;
    const int rows_of_task = std::min(std::max(1, elements / extent(0)), extent(first));
    output.split(args[first], task, rows, rows_of_task, tail);
    tasks[0] = task;
    return tasks;
}

} // namespace

void schedule_elementwise(Stages& a, const Situation& s, const ElementwiseNest& nest) {
    const Operand result = as_seen(s.problem, main_result(s.problem));
    const int row = result.shape[static_cast<std::size_t>(result.rank - 1)];
    const int lanes = full_lanes_for(*s.target, row);
    const Halide::Var along = a.output.args()[0], vector("vector"), lane("lane");
    a.output.bound(along, 0, row);
    const std::vector<Halide::Var> tasks = split_tasks(a.output, result, nest.elements);
    a.output.split(along, along, vector, nest.vectors * lanes, tail)
        .split(vector, vector, lane, lanes, tail)
        .vectorize(lane)
        .unroll(vector);
    // In registers, and complete before the vector's results are stored, see Operand::in_place_of. Behind the
    // end, where the last step has vectors without elements, Halide would find less than nothing to allocate.
    for (Halide::Func& stage : a.shared) {
        stage.compute_at(a.output, vector).bound_storage(stage.args()[0], lanes);
        if (lanes > 1)
            stage.vectorize(stage.args()[0], lanes, tail);
    }
    if (tasks.empty())
        return;
    for (std::size_t i = 1; i < tasks.size(); ++i)
        a.output.fuse(tasks[0], tasks[i], tasks[0]);
    a.output.parallel(tasks[0]);
}

const Family elementwise_family = {
    .name = "elementwise",
    .meaning = "sums of maps, steps of training, and gradients that go from element to element",
    .knobs = {{"vectors", "vectors computed together", vector_choices},
              {"elements", "elements of a task", element_choices}},
    .legal = legal,
    .defaults = defaults,
    .fits = fits,
    .request = request,
    .apply = apply,
    .computes_once = true,
};

} // namespace lamina
