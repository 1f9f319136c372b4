#include "generators/whole_file.hpp"

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <fmt/format.h>

namespace lamina {
namespace {

namespace fs = std::filesystem;

std::string failure(const fs::path& path, int error_number) {
    return fmt::format("{}: cannot write: {}", path.string(), std::generic_category().message(error_number));
}

// An open file that nobody else holds; closed on every way out.
class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ >= 0)
            ::close(number_);
    }

    bool is_open() const { return number_ >= 0; }
    bool write(Bytes bytes) const;
    bool sync() const { return ::fsync(number_) == 0; }
    // Some file systems report a full disk only here.
    bool close() { return ::close(std::exchange(number_, -1)) == 0; }

private:
    int number_;
};

bool Descriptor::write(Bytes bytes) const {
    while (!bytes.empty()) {
        const ssize_t written = ::write(number_, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return true;
}

bool write_all(const Descriptor& file, std::span<const Bytes> parts) {
    for (const Bytes part : parts)
        if (!file.write(part))
            return false;
    return true;
}

struct Temporary {
    fs::path path;
    int descriptor;
};

// Beside the target, because rename works only within one file system. The name does not contain the
// target's, which may already be as long as a name can be. Not mkstemp: that would make the file private,
// whatever the umask.
Temporary open_temporary_beside(const fs::path& target) {
    static std::atomic<unsigned> counter = 0;
    Temporary temporary;
    do {
        temporary.path = target.parent_path() / fmt::format(".lamina-{}-{}.tmp", ::getpid(), counter++);
        temporary.descriptor =
            ::open(temporary.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    } while (temporary.descriptor < 0 && errno == EEXIST);
    return temporary;
}

// The new file beside its place, until it is put there.
class Staged {
public:
    Staged(fs::path target, std::span<const Bytes> parts) : target_(std::move(target)) {
        const Temporary temporary = open_temporary_beside(target_);
        Descriptor file(temporary.descriptor);
        if (file.is_open())
            path_ = temporary.path;
        if (!file.is_open() || !write_all(file, parts) || !file.sync() || !file.close())
            error_ = failure(target_, errno);
    }
    Staged(Staged&& other) noexcept
        : target_(std::move(other.target_)), path_(std::exchange(other.path_, {})),
          error_(std::move(other.error_)) {}
    Staged& operator=(Staged&&) = delete;
    ~Staged() {
        if (!path_.empty())
            ::unlink(path_.c_str());
    }

    const std::string& error() const { return error_; }
    std::string put_in_place() {
        if (::rename(path_.c_str(), target_.c_str()) != 0)
            return failure(target_, errno);
        path_.clear();
        return "";
    }

private:
    fs::path target_, path_; // no path where there is no file to remove
    std::string error_;
};

std::string replace_file(const fs::path& target, std::span<const Bytes> parts) {
    Staged staged(target, parts);
    return staged.error().empty() ? staged.put_in_place() : staged.error();
}

std::string write_directly(const fs::path& path, std::span<const Bytes> parts) {
    Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (file.is_open() && write_all(file, parts) && file.close())
        return "";
    return failure(path, errno);
}

// Where the bytes for a path go.
struct Place {
    fs::path path;
    bool is_replaced = true; // else written to directly
    std::string error;
};

Place place_of(const fs::path& path) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (status.type() == fs::file_type::none)
        return {path, false, failure(path, error.value())};
    if (fs::is_directory(status))
        return {path, false, failure(path, EISDIR)};
    if (!fs::exists(status) || !fs::is_regular_file(status))
        return {path, !fs::exists(status), ""};
    const fs::path target = fs::canonical(path, error);
    return {target, true, error ? failure(path, error.value()) : ""};
}

// The process whose temporary file has that name, see above; nothing where it is none.
std::optional<pid_t> writer_of(std::string_view name) {
    constexpr std::string_view begin = ".lamina-", end = ".tmp";
    if (!name.starts_with(begin) || !name.ends_with(end))
        return {};
    pid_t writer = 0;
    const auto [rest, error] = std::from_chars(name.data() + begin.size(), name.data() + name.size(), writer);
    if (error != std::errc() || writer <= 0 || *rest != '-')
        return {};
    return writer;
}

bool is_gone(pid_t process) {
    return ::kill(process, 0) != 0 && errno == ESRCH;
}

std::string why_irreplaceable(const fs::path& target) {
    const Temporary temporary = open_temporary_beside(target);
    const Descriptor file(temporary.descriptor);
    if (!file.is_open())
        return failure(target, errno);
    ::unlink(temporary.path.c_str());
    return "";
}

} // namespace

std::string write_whole_file(const fs::path& path, Bytes bytes) {
    return write_whole_file(path, std::span<const Bytes>(&bytes, 1));
}

std::string write_whole_file(const fs::path& path, std::span<const Bytes> parts) {
    const Place place = place_of(path);
    if (!place.error.empty())
        return place.error;
    return place.is_replaced ? replace_file(place.path, parts) : write_directly(place.path, parts);
}

std::string write_whole_files(std::span<const NamedBytes> files) {
    std::vector<Staged> staged;
    for (const NamedBytes& file : files) {
        Place place = place_of(file.path);
        if (place.error.empty() && !place.is_replaced)
            place.error = failure(file.path, EINVAL);
        if (!place.error.empty())
            return place.error;
        staged.emplace_back(place.path, std::span<const Bytes>(&file.bytes, 1));
        if (!staged.back().error().empty())
            return staged.back().error();
    }
    for (Staged& file : staged)
        if (std::string error = file.put_in_place(); !error.empty())
            return error;
    return "";
}

std::string why_unwritable(const fs::path& path) {
    const Place place = place_of(path);
    if (!place.error.empty())
        return place.error;
    if (place.is_replaced)
        return why_irreplaceable(place.path);
    return ::access(place.path.c_str(), W_OK) == 0 ? "" : failure(place.path, errno);
}

void remove_abandoned_files(const fs::path& folder) {
    std::error_code ignored;
    std::vector<fs::path> abandoned;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored))
        if (const auto writer = writer_of(entry.path().filename().string()); writer && is_gone(*writer))
            abandoned.push_back(entry.path());
    for (const fs::path& path : abandoned)
        ::unlink(path.c_str());
}

} // namespace lamina
