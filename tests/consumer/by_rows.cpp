// A schedule family of the consumer's own, for any operator: tasks of whole rows.
#include <schedules/nests.hpp>

namespace {

using namespace lamina;

std::string fits(const Situation& s) {
    return s.target->is_gpu ? "it is for CPUs" : "";
}
std::vector<int> row_choices(const Situation& s) {
    return divisors(output_shape(s.problem).height);
}
std::string legal(const Situation& s, const Knobs& knobs) {
    return contains(row_choices(s), knobs.get("rows")) ? "" : "rows: must divide the output's rows";
}
Knobs defaults(const Situation&, const Knobs&) {
    return {{"rows", 1}};
}
AlgorithmRequest request(const Situation&, const Knobs&) {
    return {};
}
void apply(Stages& a, const Situation& s, const Knobs& knobs) {
    Halide::Var task("task"), row("row");
    a.output.bound(a.y, 0, output_shape(s.problem).height)
        .split(a.y, task, row, knobs.get("rows"))
        .parallel(task);
}

const Family by_rows = {
    .name = "by_rows",
    .meaning = "tasks of whole rows",
    .knobs = {{"rows", "output rows of a task", row_choices}},
    .legal = legal,
    .defaults = defaults,
    .fits = fits,
    .request = request,
    .apply = apply,
};

} // namespace

LAMINA_REGISTER_FAMILY(by_rows)
