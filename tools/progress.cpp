#include "tools/progress.hpp"

#include "tuner/timing.hpp"

#include <fmt/format.h>

#include <unistd.h>

namespace lamina::tools {

Progress::Progress(std::size_t total)
    : total_(total), start_(now_seconds()), last_line_(start_), is_terminal_(isatty(STDERR_FILENO) == 1) {}
Progress::~Progress() {
    clear();
}

void Progress::step(const std::string& what) {
    if (is_terminal_) {
        const double passed = now_seconds() - start_;
        const std::string left =
            done_ == 0 ? ""
                       : fmt::format(", about {:.0f} s left", passed / static_cast<double>(done_) *
                                                                  static_cast<double>(total_ - done_));
        fmt::print(stderr, "\r\033[K[{}/{}{}] {}", done_ + 1, total_, left, what.substr(0, 90));
        std::fflush(stderr);
    }
    ++done_;
}

void Progress::stands(const std::string& how) {
    constexpr double seconds_between_lines = 10;
    if (is_terminal_) {
        fmt::print(stderr, "\r\033[K[{}/{}] {}", done_, total_, how.substr(0, 150));
        std::fflush(stderr);
    } else if (now_seconds() - last_line_ > seconds_between_lines) {
        last_line_ = now_seconds();
        fmt::print(stderr, "[{}/{}] {}\n", done_, total_, how);
    }
}

void Progress::clear() {
    if (is_terminal_) {
        fmt::print(stderr, "\r\033[K");
        std::fflush(stderr);
    }
}

} // namespace lamina::tools
