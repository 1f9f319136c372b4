// Schedules any operator on any CPU target: vectors along the contiguous axis, each window summed in
// registers.
#include "schedules/nests.hpp"

#include <fmt/format.h>

namespace lamina {

namespace {

std::string fits(const Situation& s) {
    return s.target->is_gpu ? fmt::format("target {} has no CPU vectors", s.target->name) : "";
}

std::string legal(const Situation&, const Knobs&) {
    return "";
}
Knobs defaults(const Situation&, const Knobs&) {
    return {};
}
AlgorithmRequest request(const Situation&, const Knobs&) {
    return {};
}
void apply(Stages& a, const Situation& s, const Knobs&) {
    schedule_generically(a, s);
}

} // namespace

const Family generic_family = {
    "generic", "any operator: vectors along the contiguous axis, each window summed in registers",
    {},        legal,
    defaults,  fits,
    request,   apply,
};

} // namespace lamina
