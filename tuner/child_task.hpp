// Work in a forked child process, so that a crash, an abort or an endless loop costs one result.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace lamina {

// A function that runs in a child and returns a text. The child dies with this process and prints nothing.
class ChildTask {
public:
    // Starts at once; error() says why it could not. `seconds` is how long it may take, `cores` where it may
    // run, empty: where this thread may.
    ChildTask(const std::function<std::string()>& work, double seconds, const std::vector<int>& cores = {});
    ChildTask(ChildTask&&) noexcept;
    ChildTask& operator=(ChildTask&&) = delete;
    ~ChildTask(); // kills a child that still runs

    // Whether it has ended, one way or the other; does not wait.
    bool is_done();
    void wait();
    // What the work returned, or "" with a reason in error(). Of a task that is done.
    const std::string& text() const { return text_; }
    const std::string& error() const { return error_; }

private:
    pid_t child_ = -1;
    int pipe_ = -1;
    int said_ = -1; // its stderr, in memory
    double deadline_ = 0, limit_ = 0;
    std::string text_, error_;

    void finish();
};

} // namespace lamina
