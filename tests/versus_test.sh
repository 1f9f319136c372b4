#!/bin/bash
# The comparison with oneDNN runs, both libraries agree on what every group computes, and the files that it writes say so.
set -uo pipefail
source "$SOURCE/tests/support/check.sh"
fresh_folder

[[ $SANITIZED == OFF ]] || skip "oneDNN is not built with sanitizers"
"$NINJA" -C "$BUILD" -t query lamina_versus_onednn >/dev/null 2>&1 || skip "no oneDNN: ./bootstrap bench installs it"
must "$NINJA" -C "$BUILD" lamina_versus_onednn

problems=(
    "cross_correlation in=1x9x9x16 out_channels=16 kernel_size=3x3 padding=same epilogue=bias,relu algorithm=exact"
    "cross_correlation in=1x20x20x64 out_channels=64 kernel_size=3x3 padding=same epilogue=bias,relu"
    "cross_correlation_input_gradient in=1x9x9x16 out_channels=16 kernel_size=3x3 stride=2 epilogue=none"
    "cross_correlation_kernel_gradient in=2x9x9x16 out_channels=16 kernel_size=3x3 padding=same epilogue=none"
    "cross_correlation in=1x9x9x16 out_channels=16 kernel_size=3x3 padding=same groups=16 epilogue=bias,relu6"
    "cross_correlation_kernel_gradient in=1x9x9x16 out_channels=16 kernel_size=3x3 padding=same groups=16 epilogue=none"
    "pooled_cross_correlation in=1x12x12x16 out_channels=16 kernel_size=3x3 padding=same pool_kernel_size=2 pool_stride=2"
    "separable_convolution in=1x9x9x16 out_channels=24 kernel_size=3x3 padding=same"
    "max_pool in=1x9x9x16 kernel_size=3x3 stride=2 padding=1"
    "dense in=2x1x1x40 out_channels=24"
)
versus() { "$BUILD/bin/lamina_versus_onednn" "$@" --seconds 0.005; }

check 'both libraries agree' versus "${problems[@]}" --threads 1,2 --json all.json --svg all.svg
check 'the picture is one' grep -q '</svg>' all.svg
check 'each group has a figure, each problem a time and its scratch' python3 - "${#problems[@]}" <<'P'
import json, sys
report = json.load(open("all.json"))
names = ["direct_forward", "winograd_forward", "input_gradient", "kernel_gradient", "depthwise_forward", "depthwise_gradients",
         "separable", "pooled", "pooling", "two_threads"]
for name in names:
    assert report["groups"][name]["geomean_ratio"] > 0, name
assert len(report["problems"]) == 2 * int(sys.argv[1])
for problem in report["problems"]:
    assert not problem["error"] and not problem["absent"], problem
    assert problem["lamina"]["seconds"] > 0 and problem["scratch_bytes"] >= 0 and problem["because"], problem
P
check 'both are held to the target' versus "${problems[0]}" --target x86-64-linux --threads 1 --json sse.json
check 'and say what they ran' bash -c "grep -q '\"target\": *\"x86-64-linux\"' sse.json && ! grep -q avx sse.json"
check 'a target that this CPU cannot run is refused' bash -c \
    "! '$BUILD/bin/lamina_versus_onednn' --target arm-64-linux '${problems[0]}' 2>refused.txt && grep -q 'cannot run arm-64-linux' refused.txt"
check 'what oneDNN has no primitive for is left out with a reason' bash -c \
    "'$BUILD/bin/lamina_versus_onednn' 'softmax in=1x1x1x8' --threads 1 --seconds 0.005 | grep -q 'not compared'"
check 'no problem is wrong usage' bash -c "'$BUILD/bin/lamina_versus_onednn' 2>/dev/null; [[ \$? == 2 ]]"
finish
