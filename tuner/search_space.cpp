#include "tuner/search_space.hpp"

#include <algorithm>

namespace lamina {

namespace {

Point point(const Situation& situation, const Family& family, const Knobs& knobs) {
    return {&family, knobs, family.cost ? family.cost(situation, knobs) : 0};
}

// All combinations of the knobs from `number` on; those before are set.
void add_points(std::vector<Point>& points, const Situation& situation, const Family& family, Knobs& knobs,
                std::size_t number) {
    if (number == family.knobs.size()) {
        if (why_illegal(family, situation, knobs).empty())
            points.push_back(point(situation, family, knobs));
        return;
    }
    for (const int value : family.knobs[number].values(situation)) {
        knobs.set(family.knobs[number].name, value);
        add_points(points, situation, family, knobs, number + 1);
    }
}

} // namespace

std::vector<Point> search_space(const Situation& situation) {
    std::vector<Point> points;
    for (const Family* family : family_table()) {
        if (family->is_baseline || !why_unfit(*family, situation).empty())
            continue;
        Knobs knobs;
        add_points(points, situation, *family, knobs, 0);
    }
    std::stable_sort(points.begin(), points.end(), [](const Point& a, const Point& b) {
        const bool has_a = a.family->cost != nullptr, has_b = b.family->cost != nullptr;
        return has_a != has_b ? has_a : a.cost < b.cost;
    });
    return points;
}

std::vector<Point> neighbours(const Situation& situation, const Point& from) {
    std::vector<Point> points;
    for (const Knob& knob : from.family->knobs) {
        const std::vector<int> values = knob.values(situation);
        const auto here = std::lower_bound(values.begin(), values.end(), from.knobs.get(knob.name));
        const auto add = [&](int value) {
            Knobs knobs = from.knobs;
            knobs.set(knob.name, value);
            if (why_illegal(*from.family, situation, knobs).empty())
                points.push_back(point(situation, *from.family, knobs));
        };
        if (here != values.end() && here + 1 != values.end())
            add(here[1]);
        if (here != values.begin() && here != values.end())
            add(here[-1]);
    }
    std::stable_sort(points.begin(), points.end(),
                     [](const Point& a, const Point& b) { return a.cost < b.cost; });
    return points;
}

} // namespace lamina
