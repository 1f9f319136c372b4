// A disk on which files have room for few bytes, for tests of what happens where it is full.
#pragma once

#include <csignal>
#include <stdexcept>

#include <sys/resource.h>

namespace lamina::testing {

// Until destruction, no file of this process grows beyond so many bytes: writes then fail as on a full disk,
// with another errno ("File too large"). Nothing may be checked meanwhile, since the report may go to a file.
class SmallDisk {
public:
    explicit SmallDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit small{bytes, before_.rlim_max};
        if (setrlimit(RLIMIT_FSIZE, &small) != 0)
            throw std::runtime_error("the size of files cannot be limited");
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    ~SmallDisk() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

private:
    void (*handler_)(int);
    rlimit before_{};
};

} // namespace lamina::testing
