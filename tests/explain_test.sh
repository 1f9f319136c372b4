#!/bin/bash
# `lamina explain` shows what became of a schedule: memory, the hot loop, its bound on any CPU, the machine's roofline. The
# bound is what llvm-mca says of the listing.
set -uo pipefail
source "$SOURCE/tests/support/check.sh"
fresh_folder

problem='cross_correlation in=1x28x28x32 out_channels=32 kernel_size=3 padding=same'

# explains FILE ARGUMENT...: keeps what is said of the problem.
explains() { check "explain ${*:2}" bash -c "'$LAMINA' explain '$problem' --records '' ${*:2} >$1 2>said.txt && test ! -s said.txt"; }
# says FILE PATTERN
says() { check "$1 has a line '$2'" grep -qE -- "$2" "$1"; }

tile='direct,vectors:2,positions:6,strip:14,unroll:4'
explains avx2.txt --target x86-64-linux-avx2 --schedule $tile --cpu skylake
says avx2.txt '^memory +padded: .* KiB of scratch in each thread$'
says avx2.txt '^ +sum: 384 bytes in registers'
says avx2.txt '^hot loop +48 multiply-adds of 384 elements; [0-9]+ loads, 0 stores, 0 spills, [0-9]+ broadcasts'
says avx2.txt '^cpu +skylake: given by the user$'
says avx2.txt '^bound +24\.[0-9] cycles a turn: 3[12]\.[0-9]+ GFLOP/s per GHz, (1\.000|0\.9[0-9]+) of the model'
says avx2.txt '^bottleneck +SKLPort0, SKLPort1 '
says avx2.txt '^roofline .* operations a byte; '
says avx2.txt '^loop nest$'
says avx2.txt '^    SKLPort0 +24\.'
says avx2.txt '^ +[0-9a-f]+  vfmadd231ps ymm.* Port0 [01]\.[0-9]'

explains arm.txt --target arm-64-linux --schedule direct,vectors:2,positions:8,unroll:2 --cpu cortex-a76
says arm.txt '^cpu +cortex-a76: .*modelled as neoverse-n1: '
says arm.txt '^hot loop +32 multiply-adds of 128 elements'
says arm.txt '^roofline .*not measured'
says arm.txt 'fmla v'
explains avx512.txt --target x86-64-linux-avx512 --schedule direct --cpu skylake-avx512
says avx512.txt 'vfmadd231ps zmm'
explains zen3.txt --target x86-64-linux-avx512 --schedule direct --cpu znver3
says zen3.txt "^bound +none: LLVM's model of znver3 does not have the instruction "
explains device.txt --target x86-64-linux-opencl --schedule gpu_tile
says device.txt '^hot loop +none: its loops run on a device$'
explains own.txt
says own.txt '^cpu .*this machine'
explains nest.txt --loop-nest whole.stmt
says nest.txt '^hot loop'
check 'the loop nest is in the file' grep -q 'for (' whole.stmt
check 'and not printed' bash -c '! grep -q "^loop nest" nest.txt'

# agrees FILE TRIPLE CPU: llvm-mca gives the listing's instructions the cycles that FILE tells, a part of the fill aside.
agrees() {
    local told
    {
        [[ $2 != x86* ]] || echo '.intel_syntax noprefix'
        sed -n '/^hot loop of /,$p' "$1" | sed -E '1d; s/^ +[0-9a-f]+  //; s/  +.*//; s/^(b\.[a-z]+|j[a-z]+) .*/\1 target/'
    } >listing.s
    told=$(sed -nE 's/^bound +([0-9.]+) cycles.*/\1/p' "$1")
    llvm-mca-19 -mtriple="$2" -mcpu="$3" -iterations=100 listing.s |
        awk -v told="$told" '/^Total Cycles/ {cycles = $3 / 100}
            END {print told " told, " cycles " by llvm-mca"; exit !(cycles >= told * 0.99 && cycles <= told * 1.05)}'
}
if type -P llvm-mca-19 >/dev/null; then
    check 'llvm-mca agrees on AVX2' agrees avx2.txt x86_64-linux-gnu skylake
    check 'llvm-mca agrees on AVX-512' agrees avx512.txt x86_64-linux-gnu skylake-avx512
    check 'llvm-mca agrees on arm' agrees arm.txt aarch64-linux-gnu neoverse-n1
fi
finish
