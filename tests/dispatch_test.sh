#!/bin/bash
# A library for several instruction sets chooses the best one that the CPU has, computes the same bits with each, and refuses a
# CPU that has none of them.
set -uo pipefail
source "$SOURCE/tests/support/check.sh"
[[ $SANITIZED == OFF ]] || skip 'the sanitizers do not allow static programs, which the emulator needs'
[[ $(uname -m) == x86_64 ]] || skip 'the variants are those of x86-64'
fresh_folder

problem='cross_correlation in=?x9x11x7 out_channels=20 kernel_size=3 padding=same algorithm=exact epilogue=bias,relu'
must "$LAMINA" compile "$problem" -o . --name kernels --target x86-64-linux,x86-64-linux-avx512,x86-64-linux-avx2
must "$LAMINA" compile "$problem" -o only_avx2 --name kernels --target x86-64-linux-avx2
list_kernels kernels.h >kernels.inc

# build PROGRAM ARCHIVE OPTION...
build() {
    must "$CXX" -std=c++20 -O0 -static -Wno-array-bounds -Wno-stringop-overflow -DFMT_HEADER_ONLY "${@:3}" -I. -I"$SOURCE" -I"$SOURCE/dsl" -I"$SOURCE/runtime" \
        "$2" "$BUILD/runtime/liblamina_runtime.a" -o "$1" -pthread -ldl
}
variants=(x86_64_linux_avx512 x86_64_linux_avx2 x86_64_linux)
wraps=()
for variant in "${variants[@]}"; do
    wraps+=("-Wl,--wrap=kernels_run-$variant")
done
build check_kernels kernels.a "${library_check_sources[@]}"
for cpu in here max Haswell Nehalem; do
    # The emulator has no AVX-512, so that only the real CPU may run it.
    if [[ $cpu == here ]]; then
        check 'the kernel is right on this CPU' bash -c './check_kernels >here.txt; status=$?; cat here.txt; exit $status'
    elif ! type -P qemu-x86_64 >/dev/null; then
        printf 'not emulated: %s, there is no qemu-x86_64\n' "$cpu"
    else
        check "the kernel is right on an emulated CPU: $cpu" bash -c "qemu-x86_64 -cpu $cpu ./check_kernels >$cpu.txt"
        check "its bits are those of this CPU: $cpu" diff here.txt "$cpu.txt"
    fi
done

build choice kernels.a "${wraps[@]}" -isystem "$HALIDE_INCLUDE" "$SOURCE/tests/support/dispatch_choice.cpp"
chooses() { # CPU, what the program prints
    check "a CPU with $1 gets: $2" bash -c "diff <(echo '$2') <(./choice $1)"
}
grep -q avx512f /proc/cpuinfo && chooses avx512 "avx512:1 avx2:0 x86-64:0 ok"
grep -q avx2 /proc/cpuinfo && chooses avx2 'avx512:0 avx2:1 x86-64:0 ok'
chooses sse41 'avx512:0 avx2:0 x86-64:1 ok'
chooses nothing 'avx512:0 avx2:0 x86-64:0 unsupported CPU'

# The same library for one instruction set alone, which has no choice to make.
cp kernels.inc only_avx2/ && (cd only_avx2 && build ../check_avx2 kernels.a "${library_check_sources[@]}") || exit 1
if type -P qemu-x86_64 >/dev/null; then
    check 'an AVX2 library runs on an emulated CPU that has it' qemu-x86_64 -cpu Haswell ./check_avx2
    check 'and refuses one that has not' bash -c "qemu-x86_64 -cpu Nehalem ./check_avx2 | grep -q 'unsupported CPU'"
fi
finish
