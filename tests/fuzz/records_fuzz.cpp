// Any bytes as a records file, for libFuzzer; how to run it is in docs/tuning.md.
#include "tests/fuzz/any_records.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    lamina::testing::use_records({reinterpret_cast<const char*>(data), size});
    return 0;
}
