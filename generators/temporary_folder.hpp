// A folder for intermediate files that goes away with its owner.
#pragma once

#include <string>

namespace lamina {

// Also where the program ends meanwhile by exit(), as LLVM does where it cannot write; then a line on stderr
// names the folder.
class TemporaryFolder {
public:
    TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder();

    const std::string& path() const { return path_; } // "" where none could be made
    // Why there is none, or "".
    std::string error() const {
        return path_.empty() ? "no temporary folder can be made; TMPDIR names where" : "";
    }

private:
    std::string path_;
};

} // namespace lamina
