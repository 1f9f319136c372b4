// A folder for intermediate files that goes away with its owner.
#pragma once

#include <filesystem>
#include <string>

#include <stdlib.h>

namespace lamina {

class TemporaryFolder {
public:
    TemporaryFolder() {
        std::error_code error;
        std::string name = (std::filesystem::temp_directory_path(error) / "lamina-XXXXXX").string();
        if (!error && mkdtemp(name.data()))
            path_ = name;
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        std::error_code ignored;
        if (!path_.empty())
            std::filesystem::remove_all(path_, ignored);
    }
    const std::string& path() const { return path_; } // "" where none could be made
    // Why there is none, or "".
    std::string error() const {
        return path_.empty() ? "no temporary folder can be made; TMPDIR names where" : "";
    }

private:
    std::string path_;
};

} // namespace lamina
