// What an instruction does for a kernel, read off its text.
#pragma once

#include <string_view>

namespace lamina {

struct InstructionKind {
    int products = 0;            // elements that are multiplied and added
    int factors = 0, terms = 0;  // elements of a multiplication or of an addition alone
    int arithmetic_elements = 0; // that are computed, by these or other operations
    bool is_broadcast = false;
};

// `text` as LLVM prints it: Intel's syntax, or arm's.
InstructionKind instruction_kind(std::string_view text);

// Whether a load or a store addresses memory by the stack pointer or, where the function keeps one, the frame
// pointer.
bool is_on_stack(std::string_view text, bool has_frame_pointer);

// Whether a function's instruction sets up the frame pointer.
bool sets_frame_pointer(std::string_view text);

} // namespace lamina
