#include "generators/temporary_folder.hpp"

#include <cstdio>
#include <filesystem>
#include <map>
#include <mutex>

#include <stdlib.h>
#include <unistd.h>

namespace lamina {

namespace {

void remove(const std::string& path) {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
}

// The folders that have an owner, and which process made them: a child's end is none of its parent's
// folders'.
class LiveFolders {
public:
    void add(const std::string& path) {
        const std::scoped_lock lock(mutex_);
        makers_[path] = getpid();
    }
    void erase(const std::string& path) {
        const std::scoped_lock lock(mutex_);
        makers_.erase(path);
    }
    ~LiveFolders() {
        for (const auto& [path, maker] : makers_)
            if (maker == getpid()) {
                std::fprintf(stderr, "lamina: %s: the program ended while it wrote there\n", path.c_str());
                remove(path);
            }
    }

private:
    std::mutex mutex_;
    std::map<std::string, pid_t> makers_;
};

LiveFolders& live_folders() {
    static LiveFolders folders;
    return folders;
}

} // namespace

TemporaryFolder::TemporaryFolder() {
    std::error_code error;
    std::string name = (std::filesystem::temp_directory_path(error) / "lamina-XXXXXX").string();
    if (error || !mkdtemp(name.data()))
        return;
    path_ = name;
    live_folders().add(path_);
}

TemporaryFolder::~TemporaryFolder() {
    if (path_.empty())
        return;
    remove(path_);
    live_folders().erase(path_);
}

} // namespace lamina
