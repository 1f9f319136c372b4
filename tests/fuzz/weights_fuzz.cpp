// Any bytes as a file of weights, for libFuzzer; how to run it is in docs/runtime.md.
#include "tests/fuzz/any_weights.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static_cast<void>(lamina::testing::use_weights(std::as_bytes(std::span(data, size))));
    return 0;
}
