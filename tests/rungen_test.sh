#!/bin/bash
# The generators are ordinary Halide generators: gengen, RunGen, stmt_html and the autoschedulers take them, and what these make
# of them computes what the command computes.
set -uo pipefail
source "$SOURCE/tests/support/check.sh"
wheel=$(cd "$HALIDE_INCLUDE/.." && pwd)
for file in share/tools/RunGenMain.cpp lib64/libautoschedule_mullapudi2016.so; do
    [[ -e $wheel/$file ]] || skip "this Halide has no $file"
done
fresh_folder

# Halide takes AVX-512 for granted by an AMD CPU's model, also where a virtual machine hides it.
target=host
grep -q 'AuthenticAMD' /proc/cpuinfo && ! grep -q avx512f /proc/cpuinfo && target=x86-64-linux-avx-avx2-f16c-fma-sse41

# Channels enough for the vectors of any CPU.
correlation='in=1x12x12x16 out_channels=16 kernel_size=3 padding=same algorithm=exact epilogue=bias,relu'
pooling='in=1x12x12x16 kernel_size=3 stride=2 padding=1'

# generate GENERATOR NAME OPTION...
generate() { must "$GENGEN" -g "$1" -f "$2" -n "$2" -o . "${@:3}"; }

npy() { python3 "$SOURCE/tests/support/npy.py" "$@"; }
numbers() { npy show "$1" | cut -d ' ' -f 2-; }

# The same numbers for the command and for RunGen, whose files name the contiguous extent first.
npy make input.npy 1x12x12x16 1
npy make kernel.npy 3x3x16x16 2
npy make bias.npy 16 3
npy make rungen_input.npy 16x12x12x1 1
npy make rungen_kernel.npy 16x16x3x3 2
must "$LAMINA" run "cross_correlation $correlation" input=input.npy kernel=kernel.npy bias=bias.npy output=cross_correlation.npy
must "$LAMINA" run "max_pool $pooling" input=input.npy output=max_pool.npy

# run_with_rungen GENERATOR NAME: links RunGen's program of a kernel, times it, and compares its results; sums of small integers
# are the same with every schedule.
run_with_rungen() {
    local files=(input=rungen_input.npy)
    [[ $1 == max_pool ]] || files+=(kernel=rungen_kernel.npy bias=bias.npy)
    must "$CXX" -std=c++17 -O0 -w -DHALIDE_NO_PNG -DHALIDE_NO_JPEG -I"$HALIDE_INCLUDE" -I"$wheel/share/tools" RunGenMain.o "$2.registration.cpp" \
        "$2.a" -o "$2.rungen" -pthread -ldl
    check "RunGen times $2" bash -c "./$2.rungen --benchmarks=all --benchmark_min_time=0.001 --estimate_all >$2.said 2>&1 &&
        grep -q '^Benchmark for $2' $2.said || { cat $2.said; false; }"
    check "RunGen describes the operands of $2" bash -c "./$2.rungen --describe 2>&1 | grep -q '\"input\"'"
    check "RunGen runs $2" "./$2.rungen" "${files[@]}" output="$2.npy" --output_extents=estimate
    check "$2 computes what the command does" test "$(numbers "$2.npy")" == "$(numbers "$1.npy")"
}

must "$CXX" -std=c++17 -O0 -w -DHALIDE_NO_PNG -DHALIDE_NO_JPEG -I"$HALIDE_INCLUDE" -I"$wheel/share/tools" -c "$wheel/share/tools/RunGenMain.cpp"
for schedule in generic direct; do
    generate cross_correlation "correlation_$schedule" -e static_library,c_header,registration,stmt_html target=$target $correlation schedule=$schedule
    check "stmt_html of $schedule is written" grep -q '</html>' "correlation_$schedule.stmt.html"
    run_with_rungen cross_correlation "correlation_$schedule"
done
for generator in cross_correlation max_pool; do
    [[ $generator == max_pool ]] && params=$pooling || params=$correlation
    generate $generator "${generator}_mullapudi" -e static_library,c_header,registration,schedule target=$target $params \
        -p "$wheel/lib64/libautoschedule_mullapudi2016.so" autoscheduler=Mullapudi2016
    check "Mullapudi2016 schedules $generator" grep -q 'vectorize' "${generator}_mullapudi.schedule.h"
    run_with_rungen $generator "${generator}_mullapudi"
done

# gengen_refuses WHAT_IT_SAYS PARAM...
gengen_refuses() {
    check "gengen refuses ${*:2}: $1" bash -c "! '$GENGEN' -g cross_correlation -f wrong -o . -e object target=$target ${*:2} >refused.txt 2>&1 &&
        grep -qF -- \"$1\" refused.txt && ! test -e wrong.o"
}
gengen_refuses "out_channels='none'" in=1x12x12x16 out_channels=none kernel_size=3
gengen_refuses "unknown family 'fitting'" $correlation schedule=fitting
finish
