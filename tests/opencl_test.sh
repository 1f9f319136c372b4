#!/bin/bash
# Kernels compiled for OpenCL compute on a device the same bits as on the CPU; chained kernels leave their data there.
set -uo pipefail
source "$SOURCE/tests/support/check.sh"
fresh_folder

npy() { python3 "$SOURCE/tests/support/npy.py" "$@"; }

# compute TARGET SCHEDULE PROBLEM OPERAND=FILE...
compute() { "$LAMINA" run "$3" "${@:4}" --target "$1" ${2:+--schedule "$2"}; }

# agree INPUT_SHAPE KERNEL_SHAPE SCHEDULE KEYS [RESIDUAL_SHAPE]: the channels of the output are the kernel's last extent.
agree() {
    local channels=${2##*x}
    local problem="cross_correlation in=$1 out_channels=$channels $4 algorithm=exact" operands=()
    local shape=${1/\?/2}
    [[ $4 != *nchw* ]] || shape=$(awk -Fx '{print $1 "x" $4 "x" $2 "x" $3}' <<<"$shape")
    npy make input.npy "$shape" 1
    npy make kernel.npy "$2" 2
    npy make bias.npy "$channels" 3
    operands=(input=input.npy kernel=kernel.npy bias=bias.npy)
    if [[ -n ${5:-} ]]; then
        npy make residual.npy "$5" 4
        operands+=(residual=residual.npy)
    fi
    rm -f cpu.npy device.npy
    check "the CPU computes $problem" compute x86-64-linux '' "$problem" "${operands[@]}" output=cpu.npy
    check "the device computes $problem with '$3'" compute x86-64-linux-opencl "$3" "$problem" "${operands[@]}" output=device.npy
    check "both get the same bits: $problem with '$3'" cmp cpu.npy device.npy
}

# On a machine without a device the first call says so.
npy make input.npy 1x4x4x2 1
npy make kernel.npy 1x1x2x4 2
npy make bias.npy 4 3
if ! said=$(compute x86-64-linux-opencl '' 'cross_correlation in=1x4x4x2 out_channels=4 kernel_size=1' \
    input=input.npy kernel=kernel.npy bias=bias.npy output=device.npy 2>&1) && [[ $said == *'device error'* ]]; then
    skip "no OpenCL device answers: $said"
fi

agree 1x8x8x3 3x3x3x8 '' 'kernel_size=3'
agree 1x9x11x5 3x3x5x19 '' 'kernel_size=3 padding=same epilogue=bias,relu'
agree 2x13x9x4 3x5x4x7 '' 'kernel_size=3x5 stride=2x3 padding=1,2,0,3'
agree 1x10x10x12 3x3x4x18 '' 'kernel_size=3 groups=3 padding=1 epilogue=bias,relu'
agree 1x7x7x6 3x3x1x6 '' 'kernel_size=3 groups=6 padding=same'
agree 1x12x12x3 3x3x3x4 '' 'kernel_size=3 dilation=2 padding=2 padding_mode=replicate'
agree 1x7x9x3 3x3x3x6 '' 'kernel_size=3 padding=1 layout=nchw epilogue=bias,relu'
agree 1x6x6x4 1x1x4x20 '' 'kernel_size=1 epilogue=bias,residual,relu' 1x6x6x20
agree '?x6x6x4' 3x3x4x5 '' 'kernel_size=3 padding=same'
agree 1x1x1x33 1x1x33x3 '' 'kernel_size=1'
for schedule in channels:1,columns:1 channels:64,columns:4 channels:2,columns:16 channels:16,columns:16; do
    agree 1x9x11x5 3x3x5x19 "gpu_tile,$schedule" 'kernel_size=3 padding=same epilogue=bias,relu'
done

check 'what the device family cannot do is refused with a reason' bash -c \
    "! '$LAMINA' explain 'max_pool in=1x8x8x3 kernel_size=2' --target x86-64-linux-opencl 2>refused.txt && grep -q . refused.txt"

check 'bench has times of a device, and compares them with no peak' bash -c "
    '$LAMINA' bench 'cross_correlation in=1x8x8x3 out_channels=4 kernel_size=3' --target x86-64-linux-opencl --seconds 0.001 \
        --json bench.json >benched.txt && grep -q 'no peak measured for this target' benched.txt &&
        grep -q 'GFLOP/s' benched.txt && ! grep -q 'geomean' benched.txt && python3 -c '
import json
bench = json.load(open(\"bench.json\"))
row = bench[\"rows\"][0]
assert bench[\"peak_gflops\"] is None and row[\"fraction_of_peak\"] is None and row[\"median_seconds\"] > 0'"

cat >kernels.txt <<'END'
first: cross_correlation in=1x10x10x5 out_channels=12 kernel_size=3 padding=same algorithm=exact epilogue=bias,relu
second: cross_correlation in=1x10x10x12 out_channels=7 kernel_size=3 stride=2 epilogue=bias
END
must "$LAMINA" compile kernels.txt -o . --name on_device --target x86-64-linux-opencl
must "$LAMINA" compile kernels.txt -o . --name on_cpu --target x86-64-linux
flags=()
[[ $SANITIZED == OFF ]] || flags=(-fsanitize=address,undefined)
must "$CXX" -std=c++20 -O0 "${flags[@]}" -I. -I"$SOURCE/dsl" -I"$SOURCE/runtime" "$SOURCE/tests/support/device_chain.cpp" \
    on_device.a on_cpu.a "$BUILD/runtime/liblamina_runtime.a" -o chain -pthread -ldl
check 'chained kernels compute on the device what they do on the CPU' ./chain
finish
