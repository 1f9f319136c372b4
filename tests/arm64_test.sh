#!/bin/bash
# Kernels compiled for 64-bit ARM compute there what the references say, run by an emulator.
set -uo pipefail
source "$SOURCE/tests/support/check.sh"

compiler=aarch64-linux-gnu-g++
for program in $compiler qemu-aarch64; do
    type -P "$program" >/dev/null || skip "there is no $program"
done
fresh_folder

cat >kernels.txt <<'END'
direct: cross_correlation in=1x9x11x7 out_channels=20 kernel_size=3 padding=same epilogue=bias,relu
strided: cross_correlation in=2x9x8x6 out_channels=12 kernel_size=3x5 stride=2 padding=1,2,2,0 groups=2 padding_mode=reflect
flipped: convolution in=?x7x7x3 out_channels=8 kernel_size=3 epilogue=residual,leaky_relu layout=nchw
depthwise: cross_correlation in=1x10x10x19 out_channels=19 kernel_size=3 padding=1 groups=19 epilogue=bias,hard_swish
transposed: transposed_convolution in=1x5x6x8 out_channels=9 kernel_size=3 stride=2 padding=1 output_padding=1
maximum: max_pool in=1x9x9x13 kernel_size=3 stride=2 padding=1 indices=yes
mean: average_pool in=1x9x9x13 kernel_size=3 stride=2 padding=1 ceil=yes
norm: lp_pool in=1x8x8x5 kernel_size=2 power=3
unpool: max_unpool in=1x4x4x6 kernel_size=2 stride=2
matrix: dense in=3x2x2x24 out_channels=21 epilogue=bias,gelu
classes: softmax in=2x3x3x17
loss: softmax_cross_entropy in=2x3x3x17
slopes: mean_squared_error_input_gradient in=2x3x3x17
step: adam in=1x1x1x4099
END
must "$LAMINA" compile kernels.txt -o . --name kernels --target arm-64-linux --with-runtime
list_kernels kernels.h >kernels.inc
ln -s /usr/include/{fmt,nlohmann} . # headers alone, not this machine's C library

must $compiler -std=c++20 -O0 -static -DFMT_HEADER_ONLY -I. -I"$SOURCE" -I"$SOURCE/dsl" -I"$SOURCE/runtime" -isystem "$HALIDE_INCLUDE" \
    "${library_check_sources[@]}" "$SOURCE"/runtime/*.cpp kernels.a halide_runtime.o -o check_kernels -pthread -ldl
said=$(qemu-aarch64 -cpu cortex-a76 ./check_kernels)
status=$?
printf '%s\n' "$said"
check 'every kernel is right' test $status -eq 0
check 'every kernel ran' test "$(wc -l <<<"$said")" -eq "$(wc -l <kernels.txt)"

must $compiler -std=c++20 -O2 -static -I"$SOURCE" -isystem "$HALIDE_INCLUDE" "$SOURCE"/tests/support/peak_check.cpp \
    "$SOURCE"/tuner/{peak,timing}.cpp -I"$SOURCE/dsl" -I"$SOURCE/runtime" -o check_peak
check 'there is a peak to compare with' qemu-aarch64 -cpu cortex-a76 ./check_peak
finish
