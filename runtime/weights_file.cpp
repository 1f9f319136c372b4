#include "replace_file.hpp"
#include "safetensors.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lamina {

namespace detail {

namespace {

static_assert(std::endian::native == std::endian::little,
              "the file's bytes are written and read as they are");
static_assert(sizeof(float) == 4);

Refusal bad_file(std::string_view reason) {
    return {LAMINA_BAD_FILE, nullptr, reason};
}

// The end of a path, which tells files apart; the reason behind it must fit as well.
Text shortened(std::string_view path) {
    constexpr std::size_t shown = 300;
    return path.size() <= shown ? Text(path) : Text("...") << path.substr(path.size() - shown);
}

// What `work` says of the file, as a status, where there is memory for it.
template <class Work>
Status reported(const char* path, const Work& work) noexcept {
    MaybeRefusal refusal = Refusal{LAMINA_NULL_POINTER, nullptr, "the path is null"};
    if (path)
        try {
            refusal = work();
        } catch (const std::bad_alloc&) {
            refusal = Refusal{LAMINA_OUT_OF_MEMORY, nullptr, "out of memory"};
        } catch (const std::exception& error) { // as std::length_error, for what no memory could hold
            refusal = bad_file(error.what());
        }
    if (!refusal)
        return {};
    char message[LAMINA_MESSAGE_SIZE];
    const Text subject = path ? shortened(path) << ": " : Text("weights: ");
    std::size_t size = 0;
    for (const std::string_view part : {subject.view(), refusal->reason.view()}) {
        const std::size_t taken = std::min(part.size(), sizeof message - size);
        std::memcpy(message + size, part.data(), taken);
        size += taken;
    }
    return {refusal->code, {message, size}};
}

MaybeRefusal save(const char* path, std::span<const float> weights, std::span<const Parameter> parameters) {
    if (MaybeRefusal refusal = check_table(parameters, weights.size()))
        return refusal;
    const WrittenHeader header = write_header(parameters);
    if (header.refusal)
        return header.refusal;
    const std::uint64_t length = header.text.size();
    std::vector<std::span<const std::byte>> parts{std::as_bytes(std::span(&length, 1)),
                                                  std::as_bytes(std::span(header.text))};
    for (const Parameter& parameter : parameters)
        parts.push_back(std::as_bytes(weights.subspan(parameter.offset, value_count(parameter))));
    const std::string error = replace_file(path, parts);
    return error.empty() ? MaybeRefusal() : bad_file(Text("cannot write: ") << error);
}

// Fills `bytes` from the file, which may meanwhile have become shorter.
MaybeRefusal read(const Descriptor& file, std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t taken = ::read(file.number(), bytes.data(), bytes.size());
        if (taken < 0 && errno == EINTR)
            continue;
        if (taken < 0)
            return bad_file(Text("cannot read: ") << error_text(errno));
        if (taken == 0)
            return bad_file("was cut off while it was read");
        bytes = bytes.subspan(static_cast<std::size_t>(taken));
    }
    return {};
}

// The length of the header of a file of that size.
MaybeRefusal read_length(const Descriptor& file, std::uint64_t file_size, std::uint64_t& length) {
    const auto number = [](std::uint64_t value) { return Text(std::to_string(value)); };
    if (file_size < length_size)
        return bad_file(Text("truncated: ")
                        << number(file_size) << " bytes, less than the 8 before a header");
    if (MaybeRefusal refusal = read(file, std::as_writable_bytes(std::span(&length, 1))))
        return refusal;
    if (length > max_header)
        return bad_file(Text("says that its header has ") << number(length) << " bytes, more than "
                                                          << number(max_header) << ": no safetensors file");
    if (length > file_size - length_size)
        return bad_file(Text("truncated: the header has ")
                        << number(length) << " bytes, the file " << number(file_size - length_size)
                        << " behind them");
    return {};
}

MaybeRefusal load(const char* path, std::span<float> weights, std::span<const Parameter> parameters) {
    if (MaybeRefusal refusal = check_table(parameters, weights.size()))
        return refusal;
    const Descriptor file(::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)); // else a pipe would be waited for
    struct stat status {};
    if (!file.is_open() || ::fstat(file.number(), &status) != 0)
        return bad_file(Text("cannot read: ") << error_text(errno));
    if (!S_ISREG(status.st_mode))
        return bad_file(not_regular);
    const auto file_size = static_cast<std::uint64_t>(status.st_size);
    std::uint64_t length = 0;
    if (MaybeRefusal refusal = read_length(file, file_size, length))
        return refusal;
    std::string text(length, '\0');
    if (MaybeRefusal refusal = read(file, std::as_writable_bytes(std::span(text))))
        return refusal;
    const std::size_t data_size = file_size - length_size - length;
    const ReadHeader header = read_header(text, parameters, data_size);
    if (header.refusal)
        return header.refusal;
    // No larger than the parameters, as the header was found to say.
    const auto data = std::make_unique_for_overwrite<std::byte[]>(data_size);
    if (MaybeRefusal refusal = read(file, {data.get(), data_size}))
        return refusal;
    for (std::size_t i = 0; i < parameters.size(); ++i)
        std::memcpy(weights.data() + parameters[i].offset, data.get() + header.begins[i],
                    value_count(parameters[i]) * sizeof(float));
    return {};
}

} // namespace

} // namespace detail

Status save_weights(const char* path, std::span<const float> weights,
                    std::span<const Parameter> parameters) noexcept {
    return detail::reported(path, [&] { return detail::save(path, weights, parameters); });
}

Status load_weights(const char* path, std::span<float> weights,
                    std::span<const Parameter> parameters) noexcept {
    return detail::reported(path, [&] { return detail::load(path, weights, parameters); });
}

} // namespace lamina
