// A library of kernels: one archive and one header for an app.
#pragma once

#include "generators/compile.hpp"

namespace lamina {

struct LibraryRequest {
    std::string name;                   // a C identifier: prefix in C, namespace in C++, and the files' name
    std::vector<KernelRequest> kernels; // their names are the layers'
    std::vector<const TargetFacts*> targets;
    std::string records;
    std::string folder;        // must exist; receives NAME.a and NAME.h
    bool with_runtime = false; // also halide_runtime.o, Halide's runtime for these targets
    bool instrument_addresses = false;
    std::function<void(const std::string& kernel)> on_kernel; // told before each; may be empty
};

struct Library {
    std::vector<std::string> files; // paths of what was written: the archive, the header, the runtime
    std::vector<CompiledKernel> kernels;
    std::string error; // why there is none, or empty; where not, no file was left or changed
};

// What is wrong with the request's names or with a kernel's schedule, or "". Compiles nothing.
std::string why_invalid(const LibraryRequest& request);

Library compile_library(const LibraryRequest& request);

// The lines `NAME: PROBLEM [; SCHEDULE]` of a text as kernels.
struct ParsedKernels {
    std::vector<KernelRequest> kernels;
    std::string error; // names the line
};
ParsedKernels parse_kernels(const std::string& text);

} // namespace lamina
