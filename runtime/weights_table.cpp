#include "weights_table.hpp"

#include <algorithm>
#include <vector>

namespace lamina::detail {

namespace {

Text in_table(const Parameter& parameter) {
    return Text("parameter ") << in_quotes(parameter.name);
}

} // namespace

MaybeRefusal check_table(std::span<const Parameter> parameters, std::size_t weights) {
    std::vector<const Parameter*> by_offset;
    for (const Parameter& parameter : parameters) {
        if (!lies_within(parameter, weights))
            return Refusal{LAMINA_BAD_SHAPE, nullptr,
                           in_table(parameter) << " does not lie within the "
                                               << static_cast<std::int64_t>(weights) << " weights"};
        by_offset.push_back(&parameter);
    }
    std::sort(by_offset.begin(), by_offset.end(),
              [](const Parameter* a, const Parameter* b) { return a->offset < b->offset; });
    for (std::size_t i = 1; i < by_offset.size(); ++i)
        if (by_offset[i - 1]->offset + value_count(*by_offset[i - 1]) > by_offset[i]->offset)
            return Refusal{LAMINA_OVERLAP, nullptr,
                           in_table(*by_offset[i])
                               << " shares values with " << in_quotes(by_offset[i - 1]->name)};
    return {};
}

} // namespace lamina::detail
