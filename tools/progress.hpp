// One line on the terminal that says how far long work is. Where stderr is no terminal, nothing is printed.
#pragma once

#include <string>

namespace lamina::tools {

class Progress {
public:
    explicit Progress(std::size_t total);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    // About to begin the next step.
    void step(const std::string& what);
    // Removes the line, for other output.
    void clear();

private:
    std::size_t total_, done_ = 0;
    double start_;
    bool is_terminal_;
};

} // namespace lamina::tools
