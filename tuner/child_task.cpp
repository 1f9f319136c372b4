#include "tuner/child_task.hpp"

#include "tuner/timing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lamina {

namespace {

// What the child prints goes nowhere, what it complains of into `said`.
void redirect_output(int said) {
    const int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere >= 0) {
        dup2(nowhere, STDOUT_FILENO);
        dup2(said >= 0 ? said : nowhere, STDERR_FILENO);
        close(nowhere);
    }
}

// A file in memory that does not grow, however much is written to it.
int make_notepad() {
    const int file = memfd_create("lamina", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (ftruncate(file, 1 << 16) == 0)
        fcntl(file, F_ADD_SEALS, F_SEAL_GROW);
    return file;
}

// The end of what was written to a file, on one line.
std::string last_words(int file) {
    char buffer[400];
    const off_t size = lseek(file, 0, SEEK_CUR), shown = std::clamp<off_t>(size, 0, sizeof buffer);
    const ssize_t count = pread(file, buffer, static_cast<std::size_t>(shown), size - shown);
    std::string text(buffer, static_cast<std::size_t>(std::max<ssize_t>(0, count)));
    text.resize(text.find_last_not_of('\n') + 1);
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

void write_all(int pipe, const std::string& text) {
    std::size_t written = 0;
    while (written < text.size()) {
        const ssize_t count = write(pipe, text.data() + written, text.size() - written);
        if (count < 0 && errno != EINTR)
            return;
        written += count > 0 ? static_cast<std::size_t>(count) : 0;
    }
}

// Ends without the parent's destructors and exit handlers, which are not the child's to run. The last byte
// tells a whole text from a torn one.
[[noreturn]] void run_in_child(const std::function<std::string()>& work, const std::vector<int>& cores,
                               int pipe, int said, pid_t parent) {
    signal(SIGINT, SIG_IGN); // the parent decides
    signal(SIGTERM, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    redirect_output(said);
    allow_cores(cores);
    write_all(pipe, work() + '\n');
    _exit(0);
}

} // namespace

ChildTask::ChildTask(const std::function<std::string()>& work, double seconds, const std::vector<int>& cores)
    : deadline_(now_seconds() + seconds), limit_(seconds) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        error_ = std::strerror(errno);
        return;
    }
    said_ = make_notepad();
    const pid_t parent = getpid();
    child_ = fork();
    if (child_ == 0)
        run_in_child(work, cores, ends[1], said_, parent);
    close(ends[1]);
    if (child_ < 0) {
        error_ = std::strerror(errno);
        close(ends[0]);
        close(said_);
        return;
    }
    pipe_ = ends[0];
    fcntl(pipe_, F_SETFL, O_NONBLOCK);
}

ChildTask::ChildTask(ChildTask&& other) noexcept
    : child_(std::exchange(other.child_, -1)), pipe_(std::exchange(other.pipe_, -1)),
      said_(std::exchange(other.said_, -1)), deadline_(other.deadline_), limit_(other.limit_),
      text_(std::move(other.text_)), error_(std::move(other.error_)) {}

ChildTask::~ChildTask() {
    if (pipe_ < 0)
        return;
    kill(child_, SIGKILL);
    finish();
}

void ChildTask::wait() {
    while (!is_done()) {
        pollfd end{pipe_, POLLIN, 0};
        poll(&end, 1, 100);
    }
}

bool ChildTask::is_done() {
    if (pipe_ < 0)
        return true;
    char buffer[4096];
    ssize_t count = 0;
    while ((count = read(pipe_, buffer, sizeof buffer)) > 0)
        text_.append(buffer, static_cast<std::size_t>(count));
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        if (now_seconds() < deadline_)
            return false;
        kill(child_, SIGKILL);
        error_ = fmt::format("took longer than {:.0f} s", limit_);
    }
    finish();
    return true;
}

void ChildTask::finish() {
    close(std::exchange(pipe_, -1));
    int status = 0;
    while (waitpid(child_, &status, 0) < 0 && errno == EINTR) {
    }
    const bool is_whole = text_.ends_with('\n');
    if (is_whole)
        text_.pop_back();
    else
        text_.clear();
    if (error_.empty() && WIFSIGNALED(status))
        error_ = fmt::format("killed by signal {}: {}", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (error_.empty() && !is_whole) {
        const std::string words = last_words(said_);
        error_ = fmt::format("ended without a result{}{}", words.empty() ? "" : ": ", words);
    }
    close(std::exchange(said_, -1));
}

} // namespace lamina
