#include "npy.hpp"

#include <array>
#include <bit>
#include <cerrno>
#include <fstream>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "generators/whole_file.hpp"
#include "npy_header.hpp"

namespace lamina::tools {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "the data are copied as they are");

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::uintmax_t element_bytes = 4;
// The header of an array of 32 dimensions has about 700 bytes.
constexpr std::uintmax_t max_header_bytes = 65'535;

class NpyFile {
public:
    explicit NpyFile(const fs::path& path) : path_(path) {}

    LoadedArray load();

private:
    bool open();
    bool read_header();
    bool read_data();
    bool header_size(std::uintmax_t& size);
    bool check_type(const std::string& descr);
    bool has_left(std::uintmax_t size, std::string_view what);
    bool read(void* to, std::uintmax_t size, std::string_view what);

    bool fail(std::string_view reason) {
        error_ = fmt::format("{}: {}", path_.string(), reason);
        return false;
    }

    const fs::path& path_;
    std::ifstream stream_;
    std::uintmax_t left_ = 0; // bytes of the file not yet read
    Array array_;
    std::string error_;
};

LoadedArray NpyFile::load() {
    if (open() && read_header() && read_data())
        return {std::move(array_), ""};
    return {std::nullopt, std::move(error_)};
}

bool NpyFile::open() {
    std::error_code problem;
    const fs::file_status status = fs::status(path_, problem);
    if (!fs::exists(status))
        return fail(problem ? problem.message() : "no such file");
    if (!fs::is_regular_file(status))
        return fail("is not a regular file; a .npy file's size must be known before it is read");
    left_ = fs::file_size(path_, problem);
    if (problem)
        return fail(problem.message());
    stream_.open(path_, std::ios::binary);
    return stream_.is_open() || fail(std::generic_category().message(errno));
}

bool NpyFile::has_left(std::uintmax_t size, std::string_view what) {
    return size <= left_ || fail(fmt::format("ends within {}: {} bytes left, {} needed", what, left_, size));
}

bool NpyFile::read(void* to, std::uintmax_t size, std::string_view what) {
    if (!has_left(size, what))
        return false;
    left_ -= size;
    stream_.read(static_cast<char*>(to), static_cast<std::streamsize>(size));
    return stream_.good() || fail(fmt::format("could not be read to its end, within {}", what));
}

bool NpyFile::header_size(std::uintmax_t& size) {
    std::array<char, 8> start = {};
    if (!read(start.data(), start.size(), "its first 8 bytes"))
        return false;
    if (!std::string_view(start.data(), start.size()).starts_with(magic))
        return fail(fmt::format("begins with {}: not a .npy file, which begins with {}",
                                in_quotes({start.data(), magic.size()}), in_quotes(magic)));
    const int major = static_cast<unsigned char>(start[6]), minor = static_cast<unsigned char>(start[7]);
    if (major < 1 || major > 3 || minor != 0)
        return fail(fmt::format("format version {}.{}: 1.0, 2.0 and 3.0 are read", major, minor));
    std::array<unsigned char, 4> length = {};
    if (!read(length.data(), major == 1 ? 2 : 4, "the length of its header"))
        return false;
    size = std::bit_cast<std::uint32_t>(length);
    if (size > max_header_bytes)
        return fail(fmt::format("a header of {} bytes: at most {} are read", size, max_header_bytes));
    return true;
}

bool NpyFile::check_type(const std::string& descr) {
    constexpr std::string_view readable = "'<f4' (float32) and '<i4' (int32) are read";
    if (descr == "<f4" || descr == "<i4") {
        array_.type = descr == "<f4" ? Array::Type::f32 : Array::Type::i32;
        return true;
    }
    const std::string found = fmt::format("type {}", in_quotes(descr));
    if (descr == ">f4" || descr == ">i4")
        return fail(fmt::format("{} is big-endian; {}: convert with .astype('<{}')", found, readable,
                                descr.substr(1)));
    if (descr.ends_with("i8"))
        return fail(
            fmt::format("{} is int64; {}: convert with .astype('float32'), or .astype('int32') for indices",
                        found, readable));
    return fail(fmt::format("{}{}; {}: convert with .astype('float32')", found,
                            descr.ends_with("f8") ? " is float64" : "", readable));
}

bool NpyFile::read_header() {
    std::uintmax_t size = 0;
    if (!header_size(size) || !has_left(size, "its header"))
        return false;
    std::string text(size, ' ');
    if (!read(text.data(), size, "its header"))
        return false;
    ParsedNpyHeader parsed = parse_npy_header(text);
    if (!parsed.header)
        return fail(parsed.error);
    if (!check_type(parsed.header->descr))
        return false;
    if (parsed.header->fortran_order)
        return fail("fortran_order is True (first index contiguous); C order is read: save "
                    "numpy.ascontiguousarray(x)");
    array_.shape = std::move(parsed.header->shape);
    return true;
}

// The bytes of an array of this shape, or nothing where they exceed 2^63. A size of 0 hides no overflow of
// the others: whoever computes strides multiplies those.
std::optional<std::uintmax_t> bytes_of(const std::vector<std::int64_t>& shape) {
    constexpr std::uintmax_t limit = std::numeric_limits<std::int64_t>::max();
    std::uintmax_t bytes = element_bytes;
    bool empty = false;
    for (const std::int64_t size : shape) {
        empty = empty || size == 0;
        const std::uintmax_t factor = size == 0 ? 1 : static_cast<std::uintmax_t>(size);
        if (bytes > limit / factor)
            return std::nullopt;
        bytes *= factor;
    }
    return empty ? 0 : bytes;
}

bool NpyFile::read_data() {
    const std::string shape = fmt::format("shape ({})", fmt::join(array_.shape, ", "));
    const std::optional<std::uintmax_t> bytes = bytes_of(array_.shape);
    if (!bytes)
        return fail(fmt::format("{} is more than 2^63 bytes", shape));
    if (*bytes != left_)
        return fail(fmt::format("{} needs {} bytes of data, but {} follow the header: the file is {}", shape,
                                *bytes, left_, left_ < *bytes ? "truncated" : "too long"));
    array_.data.resize(*bytes);
    return *bytes == 0 || read(array_.data.data(), *bytes, "its data");
}

// NumPy aligns the data to 64 bytes, so that a mapped file can be used in place.
std::string file_start(const Array& array) {
    const std::string_view descr = array.type == Array::Type::f32 ? "<f4" : "<i4";
    std::string header = npy_header_text({std::string(descr), false, array.shape});
    const std::size_t fixed = magic.size() + 4;
    const std::size_t unpadded = fixed + header.size() + 1;
    header.append((64 - unpadded % 64) % 64, ' ').push_back('\n');
    const auto size = static_cast<std::uint16_t>(header.size());
    const std::array<char, 4> version_and_size = {1, 0, static_cast<char>(size & 0xff),
                                                  static_cast<char>(size >> 8)};
    return std::string(magic).append(version_and_size.data(), version_and_size.size()) + header;
}

} // namespace

LoadedArray read_npy(const fs::path& path) {
    return NpyFile(path).load();
}

std::string write_npy(const fs::path& path, const Array& array) {
    const auto refuse = [&](std::string_view why) {
        return fmt::format("{}: shape ({}) {}", path.string(), fmt::join(array.shape, ", "), why);
    };
    if (array.shape.size() > 32)
        return refuse("has more than 32 dimensions");
    for (const std::int64_t size : array.shape)
        if (size < 0)
            return refuse("has a negative size");
    const std::optional<std::uintmax_t> bytes = bytes_of(array.shape);
    if (bytes != array.data.size())
        return refuse(fmt::format("does not fit its {} bytes of data", array.data.size()));
    const std::string start = file_start(array);
    const std::array<Bytes, 2> parts = {std::as_bytes(std::span(start)), Bytes(array.data)};
    return write_whole_file(path, parts);
}

} // namespace lamina::tools
