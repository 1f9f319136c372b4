// A library of kernels: one archive and one header for an app.
#pragma once

#include "generators/network_plan.hpp"

namespace lamina {

struct LibraryRequest {
    std::string name;                   // a C identifier: prefix in C, namespace in C++, and the files' name
    std::vector<KernelRequest> kernels; // their names are the layers'
    NetworkRequest network;             // whose functions the header has as well; no layers for none
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

// How many kernels that is, with those that only the network asks for.
std::size_t kernel_count(const LibraryRequest& request);

Library compile_library(const LibraryRequest& request);

// The lines `NAME: PROBLEM [; SCHEDULE]` of a text as kernels.
struct ParsedKernels {
    std::vector<KernelRequest> kernels;
    std::string error; // names the line
};
ParsedKernels parse_kernels(const std::string& text);

// Another schedule for kernels that have one.
struct Variant {
    std::string name, schedule;
};

// From `NAME: SCHEDULE`; no name where the text is not of that form.
Variant parse_variant(const std::string& text);

// Each kernel with its variants behind it, called KERNEL_VARIANT.
std::vector<KernelRequest> with_variants(const std::vector<KernelRequest>& kernels,
                                         const std::vector<Variant>& variants);

} // namespace lamina
