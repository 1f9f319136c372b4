#include "safetensors.hpp"

#include <nlohmann/json.hpp>

namespace lamina::detail {

namespace {

using Json = nlohmann::ordered_json;

std::string quoted(std::string_view name) {
    return Json(name).dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace

WrittenHeader write_header(std::span<const Parameter> parameters) {
    std::string text;
    std::size_t end = 0;
    for (const Parameter& parameter : parameters) {
        const std::size_t begin = end;
        end += value_count(parameter) * sizeof(float);
        const std::int64_t* const sizes = parameter.shape.data();
        Json tensor;
        tensor["dtype"] = "F32";
        tensor["shape"] = std::vector(sizes, sizes + parameter.shape.rank());
        tensor["data_offsets"] = {begin, end};
        text += (text.empty() ? "{" : ",") + quoted(parameter.name) + ":" + tensor.dump();
    }
    text += text.empty() ? "{}" : "}";
    text.append((length_size - text.size() % length_size) % length_size, ' ');
    // Refuses what could not be read again: names that stand twice, that are not UTF-8 and so were not
    // written as they are, and `__metadata__`, which is none.
    return {text, read_header(text, parameters, end).refusal};
}

} // namespace lamina::detail
