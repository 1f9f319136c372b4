// What became of a call, as a value.
#pragma once

#include "lamina/runtime.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace lamina {

// True where all went well. Holds its text itself: no heap, and it outlives the context it came from.
class [[nodiscard]] Status {
public:
    Status() = default;
    Status(lamina_code code, std::string_view message)
        : code_(code), size_(std::min(message.size(), std::size_t{LAMINA_MESSAGE_SIZE})) {
        std::copy_n(message.data(), size_, text_);
    }
    Status(const Status& other) : Status(other.code_, other.message()) {}
    Status& operator=(const Status& other) {
        if (this != &other) {
            code_ = other.code_;
            size_ = other.size_;
            std::copy_n(other.text_, size_, text_);
        }
        return *this;
    }

    explicit operator bool() const { return code_ == LAMINA_OK; }
    lamina_code code() const { return code_; }

    // The problem, the operand, what was expected and what was given; empty where all went well.
    std::string_view message() const { return {text_, size_}; }

private:
    lamina_code code_ = LAMINA_OK;
    std::size_t size_ = 0;
    char text_[LAMINA_MESSAGE_SIZE]; // only the first size_ bytes mean anything
};

} // namespace lamina
