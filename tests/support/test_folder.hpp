// A folder of its own for each test, since ctest runs several at a time; it goes with the test.
#pragma once

#include "generators/temporary_folder.hpp"

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace lamina::testing {

class TestFolder {
public:
    TestFolder() {
        if (!folder_.error().empty())
            throw std::runtime_error(folder_.error());
    }

    const std::string& path() const { return folder_.path(); }
    std::filesystem::path operator/(std::string_view name) const {
        return std::filesystem::path(path()) / name;
    }
    // Of everything that is in the folder.
    std::vector<std::string> names() const {
        std::vector<std::string> result;
        for (const auto& entry : std::filesystem::directory_iterator(path()))
            result.push_back(entry.path().filename().string());
        return result;
    }

private:
    TemporaryFolder folder_;
};

} // namespace lamina::testing
