#!/bin/bash
# The generators are ordinary Halide generators: gengen, RunGen, stmt_html and the autoschedulers take them.
set -uo pipefail
source "$SOURCE/tests/support/check.sh"
wheel=$(cd "$HALIDE_INCLUDE/.." && pwd)
for file in share/tools/RunGenMain.cpp lib64/libautoschedule_mullapudi2016.so; do
    [[ -e $wheel/$file ]] || skip "this Halide has no $file"
done
fresh_folder

correlation='in=1x12x12x8 out_channels=16 kernel_size=3 padding=same epilogue=bias,relu'
pooling='in=1x12x12x8 kernel_size=3 stride=2 padding=1'

# generate GENERATOR NAME OPTION...
generate() { must "$GENGEN" -g "$1" -f "$2" -n "$2" -o . "${@:3}"; }

# run_with_rungen NAME OPERAND=CONTENT...: links RunGen's program of a kernel and times it once.
run_with_rungen() {
    must "$CXX" -std=c++17 -O0 -w -DHALIDE_NO_PNG -DHALIDE_NO_JPEG -I"$HALIDE_INCLUDE" -I"$wheel/share/tools" RunGenMain.o "$1.registration.cpp" \
        "$1.a" -o "$1.rungen" -pthread -ldl
    check "RunGen times $1" bash -c "./$1.rungen --benchmarks=all --benchmark_min_time=0.001 --estimate_all >$1.said 2>&1 &&
        grep -q '^Benchmark for $1' $1.said || { cat $1.said; false; }"
    check "RunGen describes the operands of $1" bash -c "./$1.rungen --describe 2>&1 | grep -q '\"input\"'"
}

must "$CXX" -std=c++17 -O0 -w -DHALIDE_NO_PNG -DHALIDE_NO_JPEG -I"$HALIDE_INCLUDE" -I"$wheel/share/tools" -c "$wheel/share/tools/RunGenMain.cpp"
for schedule in generic direct; do
    generate cross_correlation "correlation_$schedule" -e static_library,c_header,registration,stmt_html target=host $correlation schedule=$schedule
    check "stmt_html of $schedule is written" grep -q '</html>' "correlation_$schedule.stmt.html"
    run_with_rungen "correlation_$schedule"
done
for generator in cross_correlation max_pool; do
    [[ $generator == max_pool ]] && params=$pooling || params=$correlation
    generate $generator "${generator}_mullapudi" -e static_library,c_header,registration,schedule target=host $params \
        -p "$wheel/lib64/libautoschedule_mullapudi2016.so" autoscheduler=Mullapudi2016
    check "Mullapudi2016 schedules $generator" grep -q 'vectorize' "${generator}_mullapudi.schedule.h"
    run_with_rungen "${generator}_mullapudi"
done

# gengen_refuses WHAT_IT_SAYS PARAM...
gengen_refuses() {
    check "gengen refuses ${*:2}: $1" bash -c "! '$GENGEN' -g cross_correlation -f wrong -o . -e object target=host ${*:2} >refused.txt 2>&1 &&
        grep -qF -- \"$1\" refused.txt && ! test -e wrong.o"
}
gengen_refuses "out_channels='none'" in=1x12x12x8 out_channels=none kernel_size=3
gengen_refuses "unknown family 'fitting'" $correlation schedule=fitting
finish
