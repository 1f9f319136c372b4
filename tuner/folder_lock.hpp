// Keeps others who lock it too out of a folder.
#pragma once

#include <string>

namespace lamina {

// Until destruction. The folder itself is locked, so that no file is left behind; it is made where it is
// missing.
class FolderLock {
public:
    explicit FolderLock(const std::string& folder);
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;
    ~FolderLock();

    const std::string& error() const { return error_; } // why it is not held, which names the folder, or ""

private:
    int descriptor_ = -1;
    std::string error_;
};

} // namespace lamina
