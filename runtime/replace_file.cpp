#include "replace_file.hpp"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lamina::detail {

namespace {

namespace fs = std::filesystem;
using Bytes = std::span<const std::byte>;

bool write(const Descriptor& file, Bytes bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(file.number(), bytes.data(), bytes.size());
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
        if (!write(file, part))
            return false;
    return true;
}

// Beside the target, because rename works only within one file system, and under a short name, because the
// target's may already be as long as a name can be. Removed where it was not put in the target's place.
class Temporary {
public:
    explicit Temporary(const fs::path& target) : target_(target) {
        static std::atomic<unsigned> counter = 0;
        do {
            path_ = target.parent_path() /
                    (".lamina-" + std::to_string(::getpid()) + "-" + std::to_string(counter++) + ".tmp");
            // Not mkstemp: that would make the file private, whatever the umask.
            number_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        } while (number_ < 0 && errno == EEXIST);
        is_left_ = number_ >= 0;
    }
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;
    ~Temporary() {
        if (is_left_)
            ::unlink(path_.c_str());
    }

    int descriptor() const { return number_; } // the caller's to close
    bool put_in_place() {
        is_left_ = ::rename(path_.c_str(), target_.c_str()) != 0;
        return !is_left_;
    }

private:
    const fs::path& target_;
    fs::path path_;
    int number_ = -1;
    bool is_left_ = false;
};

} // namespace

bool Descriptor::close() {
    const int number = std::exchange(number_, -1);
    return number < 0 || ::close(number) == 0;
}

std::string error_text(int error_number) {
    return std::generic_category().message(error_number);
}

std::string replace_file(const char* path, std::span<const Bytes> parts) {
    struct stat status {};
    const bool exists = ::stat(path, &status) == 0;
    if (!exists && errno != ENOENT)
        return error_text(errno);
    if (exists && !S_ISREG(status.st_mode))
        return not_regular;
    std::error_code error;
    const fs::path target = exists ? fs::canonical(path, error) : fs::path(path);
    if (error)
        return error.message();
    Temporary temporary(target);
    Descriptor file(temporary.descriptor());
    if (!file.is_open() || !write_all(file, parts) || ::fsync(file.number()) != 0 || !file.close() ||
        !temporary.put_in_place())
        return error_text(errno);
    return "";
}

} // namespace lamina::detail
