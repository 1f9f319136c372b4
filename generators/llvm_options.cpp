// How Halide's LLVM is asked to compile kernels, for every program that links the generators.
#include <cstdlib>

namespace lamina {

namespace {

// LLVM's superword vectoriser turns the addresses of a register tile's columns into vector arithmetic, whose
// results go back to scalar registers in the innermost loop: direct convolution of 3x3 28x28x64 -> 16 ran at
// 0.68 of the peak with it, at 0.94 without (Zen 3, AVX2). Loops are vectorised by the schedule, so nothing
// is lost. Halide reads the variable when it first compiles.
[[maybe_unused]] const int is_set = setenv("HL_LLVM_ARGS", "-vectorize-slp=false", 0);

} // namespace

} // namespace lamina
