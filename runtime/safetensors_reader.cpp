#include "safetensors.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

namespace lamina::detail {

namespace {

using Json = nlohmann::json;

constexpr std::string_view metadata_name = "__metadata__";

MaybeRefusal bad_file(const Text& reason) {
    return Refusal{LAMINA_BAD_FILE, nullptr, reason};
}

Text tensor(std::string_view name) {
    return Text("tensor ") << in_quotes(name) << ": ";
}

// As the file has it.
Text list(std::span<const std::int64_t> numbers) {
    Text text("[");
    for (std::size_t i = 0; i < numbers.size(); ++i)
        text << (i > 0 ? ", " : "") << numbers[i];
    return text << "]";
}

std::span<const std::int64_t> sizes(const Extents& shape) {
    return {shape.data(), static_cast<std::size_t>(shape.rank())};
}

// A list that a tensor's description holds, at most as long as the longest right one.
struct Numbers {
    std::array<std::int64_t, LAMINA_MAX_RANK> values{};
    std::size_t count = 0;
    bool is_there = false;

    std::span<const std::int64_t> span() const { return {values.data(), count}; }
};

// What the header says of one tensor.
struct Description {
    const Parameter* parameter = nullptr;
    bool has_dtype = false;
    Numbers shape, data_offsets;
};

// Takes the header token by token and stops at the first that may not stand where it does: nothing nests
// deeper than expected, and memory is taken for expected tensors alone, whatever the header says.
class HeaderReader final : public nlohmann::json_sax<Json> {
public:
    HeaderReader(std::span<const Parameter> parameters, std::size_t data_size);

    std::vector<std::size_t> begins() const;
    const MaybeRefusal& refusal() const { return refusal_; }

    bool null() override { return unexpected("null"); }
    bool boolean(bool /*value*/) override { return unexpected("a truth value"); }
    bool number_integer(std::int64_t value) override { return unexpected(Text("the number ") << value); }
    bool number_unsigned(std::uint64_t value) override;
    bool number_float(double /*value*/, const std::string& text) override {
        return unexpected(Text("the number ") << in_quotes(text));
    }
    bool string(std::string& value) override;
    bool binary(Json::binary_t& /*value*/) override { return unexpected("binary data"); }
    bool start_object(std::size_t /*size*/) override;
    bool key(std::string& name) override;
    bool end_object() override;
    bool start_array(std::size_t /*size*/) override;
    bool end_array() override;
    bool parse_error(std::size_t position, const std::string& /*token*/,
                     const nlohmann::detail::exception& /*error*/) override {
        return refuse(Text("the header is not JSON from its byte ") << static_cast<std::int64_t>(position));
    }

private:
    enum class Place { before, tensors, metadata, description, numbers };

    bool refuse(const Text& reason);
    bool unexpected(const Text& found);
    Text where() const;
    bool begin_tensor();
    bool begin_field(std::string_view name);
    bool end_tensor();
    bool end_metadata();
    bool end_header();

    // Of a parameter; the end where there is none.
    using Iterator = std::vector<Description>::iterator;
    Iterator find(std::string_view name);

    std::int64_t data_size_;
    std::vector<Description> tensors_; // by name
    const Parameter* table_;
    Place place_ = Place::before;
    Description* tensor_ = nullptr; // whose description is being read
    Numbers* numbers_ = nullptr;    // the field that is being read; null for dtype
    std::string name_;              // of the last tensor
    std::vector<std::string> metadata_keys_;
    bool has_metadata_ = false;
    MaybeRefusal refusal_;
};

HeaderReader::HeaderReader(std::span<const Parameter> parameters, std::size_t data_size)
    : data_size_(static_cast<std::int64_t>(data_size)), table_(parameters.data()) {
    for (const Parameter& parameter : parameters)
        tensors_.push_back({&parameter, false, {}, {}});
    std::sort(tensors_.begin(), tensors_.end(), [](const Description& a, const Description& b) {
        return a.parameter->name < b.parameter->name;
    });
}

bool HeaderReader::refuse(const Text& reason) {
    refusal_ = bad_file(reason);
    return false;
}

Text HeaderReader::where() const {
    switch (place_) {
    case Place::before: // not reached, since the text begins with '{'
    case Place::tensors:
        return tensor(name_) << "expected an object";
    case Place::metadata:
        return Text(metadata_name) << ": expected strings";
    case Place::description:
        return tensor(name_) << (numbers_ ? "expected a list of numbers" : "dtype: expected a string");
    case Place::numbers:
        break;
    }
    return tensor(name_) << "expected integers of 0 or more, below 2^63";
}

bool HeaderReader::unexpected(const Text& found) {
    return refuse(where() << ", got " << found);
}

bool HeaderReader::number_unsigned(std::uint64_t value) {
    const bool is_large = value > std::numeric_limits<std::int64_t>::max();
    if (place_ != Place::numbers || is_large)
        return unexpected(is_large ? "a larger number"
                                   : Text("the number ") << static_cast<std::int64_t>(value));
    const bool is_shape = numbers_ == &tensor_->shape;
    const std::size_t expected = is_shape ? sizes(tensor_->parameter->shape).size() : 2;
    if (numbers_->count == expected)
        return refuse(tensor(name_) << (is_shape ? "shape" : "data_offsets") << ": expected "
                                    << static_cast<std::int64_t>(expected) << " numbers, got more");
    numbers_->values[numbers_->count++] = static_cast<std::int64_t>(value);
    return true;
}

bool HeaderReader::string(std::string& value) {
    if (place_ == Place::metadata)
        return true;
    if (place_ != Place::description || numbers_)
        return unexpected(Text("the string ") << in_quotes(value));
    return value == "F32" || refuse(tensor(name_) << "expected dtype 'F32', got " << in_quotes(value));
}

bool HeaderReader::start_object(std::size_t /*size*/) {
    switch (place_) {
    case Place::before:
        place_ = Place::tensors;
        return true;
    case Place::tensors:
        place_ = tensor_ ? Place::description : Place::metadata;
        return true;
    default:
        return unexpected("an object");
    }
}

bool HeaderReader::key(std::string& name) {
    if (place_ == Place::description)
        return begin_field(name);
    if (place_ == Place::metadata) {
        metadata_keys_.push_back(std::move(name));
        return true;
    }
    name_ = std::move(name);
    return begin_tensor();
}

HeaderReader::Iterator HeaderReader::find(std::string_view name) {
    const auto found = std::lower_bound(
        tensors_.begin(), tensors_.end(), name,
        [](const Description& t, std::string_view wanted) { return t.parameter->name < wanted; });
    return found != tensors_.end() && found->parameter->name == name ? found : tensors_.end();
}

bool HeaderReader::begin_tensor() {
    const Iterator found = find(name_);
    const bool is_metadata = name_ == metadata_name;
    if (!is_metadata && found == tensors_.end())
        return refuse(tensor(name_) << "there is no such parameter");
    tensor_ = is_metadata ? nullptr : &*found;
    if (is_metadata ? has_metadata_ : tensor_->data_offsets.is_there)
        return refuse(tensor(name_) << "stands twice in the header");
    has_metadata_ = has_metadata_ || is_metadata;
    return true;
}

bool HeaderReader::begin_field(std::string_view name) {
    numbers_ = name == "shape" ? &tensor_->shape : name == "data_offsets" ? &tensor_->data_offsets : nullptr;
    if (!numbers_ && name != "dtype")
        return refuse(tensor(name_) << "expected dtype, shape and data_offsets, got " << in_quotes(name));
    if (std::exchange(numbers_ ? numbers_->is_there : tensor_->has_dtype, true))
        return refuse(tensor(name_) << name << " stands twice");
    return true;
}

bool HeaderReader::start_array(std::size_t /*size*/) {
    if (place_ != Place::description || !numbers_)
        return unexpected("a list");
    place_ = Place::numbers;
    return true;
}

bool HeaderReader::end_array() {
    place_ = Place::description;
    return true;
}

bool HeaderReader::end_object() {
    if (place_ == Place::tensors)
        return end_header();
    const bool is_tensor = place_ == Place::description;
    place_ = Place::tensors;
    return is_tensor ? end_tensor() : end_metadata();
}

bool HeaderReader::end_tensor() {
    const Description& t = *tensor_;
    if (!t.has_dtype || !t.shape.is_there || !t.data_offsets.is_there)
        return refuse(tensor(name_) << "there is no "
                                    << (!t.has_dtype        ? "dtype"
                                        : !t.shape.is_there ? "shape"
                                                            : "data_offsets"));
    const auto expected = sizes(t.parameter->shape);
    if (!std::ranges::equal(t.shape.span(), expected))
        return refuse(tensor(name_) << "expected shape " << list(expected) << ", got "
                                    << list(t.shape.span()));
    const auto bytes = static_cast<std::int64_t>(value_count(*t.parameter) * sizeof(float));
    const auto [begin, end, unused, unused_too] = t.data_offsets.values;
    const Text offsets = tensor(name_) << "data_offsets " << list(t.data_offsets.span());
    if (t.data_offsets.count != 2 || begin > end || end - begin != bytes)
        return refuse(Text(offsets) << ": expected a begin and an end " << bytes << " bytes behind it");
    if (end > data_size_)
        return refuse(Text(offsets) << ": only " << data_size_ << " bytes of data follow the header");
    return true;
}

bool HeaderReader::end_metadata() {
    std::sort(metadata_keys_.begin(), metadata_keys_.end());
    const auto twice = std::adjacent_find(metadata_keys_.begin(), metadata_keys_.end());
    return twice == metadata_keys_.end() ||
           refuse(Text(metadata_name) << ": " << in_quotes(*twice) << " stands twice");
}

// Each byte of the data belongs to one tensor.
bool HeaderReader::end_header() {
    for (const Description& t : tensors_)
        if (!t.data_offsets.is_there)
            return refuse(tensor(t.parameter->name) << "is not in the file");
    std::vector<const Description*> by_place;
    for (const Description& t : tensors_)
        by_place.push_back(&t);
    const auto begin = [](const Description* t) { return t->data_offsets.values[0]; };
    std::ranges::sort(by_place, {}, begin);
    std::int64_t end = 0;
    for (const Description* t : by_place) {
        if (begin(t) != end)
            return refuse(tensor(t->parameter->name)
                          << "data_offsets " << list(t->data_offsets.span()) << ": the data before "
                          << (begin(t) < end ? "reach to byte " : "end at byte ") << end);
        end = t->data_offsets.values[1];
    }
    return end == data_size_ || refuse(Text("") << data_size_ << " bytes of data, of which the last "
                                                << data_size_ - end << " belong to no tensor");
}

std::vector<std::size_t> HeaderReader::begins() const {
    std::vector<std::size_t> result(tensors_.size());
    for (const Description& t : tensors_)
        result[static_cast<std::size_t>(t.parameter - table_)] =
            static_cast<std::size_t>(t.data_offsets.values[0]);
    return result;
}

} // namespace

ReadHeader read_header(std::string_view text, std::span<const Parameter> parameters, std::size_t data_size) {
    // The parser passes over blanks and marks before the object, and takes a 0 for the end of the text.
    if (!text.starts_with('{'))
        return {{}, bad_file("the header does not begin with '{'")};
    if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos)
        return {
            {},
            bad_file(Text("the header is not JSON from its byte ") << static_cast<std::int64_t>(zero + 1))};
    HeaderReader reader(parameters, data_size);
    if (!Json::sax_parse(text, &reader))
        return {{}, reader.refusal()};
    return {reader.begins(), {}};
}

} // namespace lamina::detail
