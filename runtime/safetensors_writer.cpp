#include "safetensors.hpp"

#include <nlohmann/json.hpp>

namespace lamina::detail {

namespace {

std::string quoted(std::string_view name) {
    using Json = nlohmann::json;
    return Json(name).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string list(const Extents& sizes) {
    std::string text;
    for (int i = 0; i < sizes.rank(); ++i)
        text += (i > 0 ? "," : "[") + std::to_string(sizes[i]);
    return text + "]";
}

} // namespace

// Put together by hand: where memory runs out, the library's objects are destroyed in a state that they
// cannot be destroyed in.
WrittenHeader write_header(std::span<const Parameter> parameters) {
    std::string text;
    std::size_t end = 0;
    for (const Parameter& parameter : parameters) {
        const std::size_t begin = end;
        end += value_count(parameter) * sizeof(float);
        text += (text.empty() ? "{" : ",") + quoted(parameter.name) + R"(:{"dtype":"F32","shape":)" +
                list(parameter.shape) + R"(,"data_offsets":[)" + std::to_string(begin) + "," +
                std::to_string(end) + "]}";
    }
    text += text.empty() ? "{}" : "}";
    text.append((length_size - text.size() % length_size) % length_size, ' ');
    // Refuses what could not be read again: names that stand twice, that are not UTF-8 and so were not
    // written as they are, and `__metadata__`, which is none.
    return {text, read_header(text, parameters, end).refusal};
}

} // namespace lamina::detail
