// Runs another program without a shell in between.
#pragma once

#include <string>
#include <vector>

namespace lamina::tools {

struct Finished {
    int status = -1;    // its exit status, or -1 where it did not run or was killed
    std::string output; // what it printed to stdout and stderr
};

Finished run_child(const std::vector<std::string>& command);

} // namespace lamina::tools
