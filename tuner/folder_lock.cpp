#include "tuner/folder_lock.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace lamina {

FolderLock::FolderLock(const std::string& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (!error) {
        descriptor_ = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int result = descriptor_;
        while (result >= 0 && (result = flock(descriptor_, LOCK_EX)) != 0 && errno == EINTR)
            result = 0;
        if (result < 0)
            error.assign(errno, std::generic_category());
    }
    if (error)
        error_ = fmt::format("{}: cannot lock the folder: {}", folder, error.message());
}

FolderLock::~FolderLock() {
    if (descriptor_ >= 0)
        close(descriptor_);
}

} // namespace lamina
