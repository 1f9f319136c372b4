// One line on the terminal that says how far long work is.
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
    // How the step stands that was begun last. Where stderr is no terminal, a plain line at most every ten
    // seconds.
    void stands(const std::string& how);
    // Removes the line, for other output.
    void clear();

private:
    std::size_t total_, done_ = 0;
    double start_, last_line_;
    bool is_terminal_;
};

} // namespace lamina::tools
