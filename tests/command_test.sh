#!/bin/bash
# What the command `lamina` promises: exit codes, messages that name what is wrong, results on stdout and nothing else there,
# files whole or not at all.
set -uo pipefail
source "$SOURCE/tests/support/check.sh"
fresh_folder

npy() { python3 "$SOURCE/tests/support/npy.py" "$@"; }

# lamina_says STATUS WHERE TEXT ARGUMENT...: exits so, and stdout or stderr (WHERE) has TEXT in it. What fails prints nothing to
# stdout, what succeeds nothing to stderr.
lamina_says() {
    local status
    "$LAMINA" "${@:4}" >stdout.txt 2>stderr.txt
    status=$?
    if [[ $status != "$1" ]] || ! grep -qF -- "$3" "$2.txt" || { [[ $1 == 0 ]] && [[ -s stderr.txt ]]; } ||
        { [[ $1 != 0 ]] && [[ -s stdout.txt ]]; }; then
        printf 'status %s, stdout:\n' "$status"
        cat stdout.txt
        printf 'stderr:\n'
        cat stderr.txt
        return 1
    fi
}
succeeds() { check "succeeds and says '$1': ${*:2}" lamina_says 0 stdout "$@"; }
fails() { check "fails and says '$1': ${*:2}" lamina_says 1 stderr "$@"; }
misused() { check "is wrong usage and says '$1': ${*:2}" lamina_says 2 stderr "$@"; }

teaches() {
    succeeds 'Usage: lamina' --help
    local command
    for command in run bench explain list compile tune; do
        succeeds "lamina $command" $command --help
    done
    misused 'subcommand'
    misused 'dance' dance
    misused 'PROBLEM' explain
    misused '--no-such' explain 'softmax in=1x1x1x8' --no-such
}

# A virtual machine may hide what the CPU's model would have.
fits_this_cpu() {
    local name
    name=$("$LAMINA" list targets | sed -n 's/ .*; this machine$//p')
    case $name in
    *-avx512) grep -q avx512vl /proc/cpuinfo ;;
    *-avx2) grep -q avx2 /proc/cpuinfo ;;
    *) [[ $name ]] ;;
    esac
}

lists() {
    succeeds 'cross_correlation' list operators
    succeeds '| `max_pool` |' list operators --markdown
    succeeds 'direct' list families
    succeeds 'x86-64-linux-avx2' list targets
    check "this machine's target is one that its CPU has" fits_this_cpu
    check 'list records without records' "$LAMINA" list records --records ''
    misused 'planets' list planets
    mkdir -p bad_records
    echo '{' >bad_records/x86-64-linux.json
    mkdir -p old_records
    echo '[{"problem": "softmax in=1x1x1x8", "schedule": "generic", "evidence": {"versions": "Halide 1.2.3"}}]' >old_records/x86-64-linux.json
    succeeds "does not fit: it was made with 'Halide 1.2.3'" list records --records old_records
    succeeds 'does not fit' list records 'softmax in=1x1x1x8' --target x86-64-linux --records old_records
    succeeds '1 of 1 problems have no record' list records 'softmax in=1x1x1x8' --target x86-64-linux --records old_records
    check 'a build with such records says so and goes on' bash -c "'$LAMINA' compile 'softmax in=1x1x1x8' --target x86-64-linux \
        --records old_records -o old >/dev/null 2>said.txt && grep -q \"record 'softmax in=1x1x1x8' ignored: .*'Halide 1.2.3'\" said.txt"
    check 'list names a file of records that cannot be read' bash -c "! '$LAMINA' list records --records bad_records 2>said.txt &&
        grep -q 'bad_records/x86-64-linux.json' said.txt"
}

names_what_is_wrong_with_a_problem() {
    misused 'unknown operator' explain 'crosscorrelation in=1x8x8x3'
    misused 'kernel' explain 'max_pool in=1x8x8x3 kernel=3'
    misused 'kernel_size' explain 'max_pool in=1x8x8x3'
    misused "stride='x'" explain 'max_pool in=1x8x8x3 kernel_size=3 stride=x'
    misused 'groups' explain 'cross_correlation in=1x8x8x3 out_channels=4 kernel_size=3 groups=2'
    misused 'type' explain 'max_pool in=1x8x8x3 kernel_size=3 type=bf16'
    misused "target: unknown 'vax'" explain 'max_pool in=1x8x8x3 kernel_size=3' --target vax
    misused "unknown family 'fast'" explain 'max_pool in=1x8x8x3 kernel_size=3' --schedule fast
    misused "unknown knob 'wings'" explain 'max_pool in=1x8x8x3 kernel_size=3' --schedule pool,wings:2
    misused 'direct' explain 'max_pool in=1x8x8x3 kernel_size=3' --schedule direct
}

explains() {
    local problem='cross_correlation in=1x8x8x3 out_channels=8 kernel_size=3'
    succeeds 'because     analytic default of direct' explain "$problem" --records '' --target x86-64-linux-avx2
    succeeds 'because     given by the user' explain "$problem" --schedule generic
    succeeds 'operations  15552' explain "$problem"
    rm -f nest.html
    check 'explain writes the loop nest for a browser' bash -c "'$LAMINA' explain '$problem' --loop-nest nest.html && grep -q '</html>' nest.html"
    succeeds 'hot loop ' explain "$problem"
    succeeds 'cpu         znver4: given by the user' explain "$problem" --target x86-64-linux-avx2 --cpu znver4
    misused "cpu: LLVM models no 'znver44' that runs x86-64-linux-avx2; near it are znver4" explain "$problem" --target x86-64-linux-avx2 --cpu znver44
    misused "no 'znver4' that runs arm-64-linux" explain "$problem" --target arm-64-linux --cpu znver4
    fails 'no/such/folder' explain "$problem" --loop-nest no/such/folder/nest.stmt
}

warns_of_broken_records() {
    local arguments
    export problem='max_pool in=1x1x3x1 kernel_size=1x2'
    npy write line.npy 1x1x3x1 1 2 4
    mkdir -p bad_records
    echo '{' >bad_records/x86-64-linux.json
    for arguments in 'explain "$problem"' 'bench "$problem" --seconds 0.001' 'run "$problem" input=line.npy output=output.npy' \
        'compile "$problem" -o warned'; do
        check "broken records are told and ignored: $arguments" bash -c "'$LAMINA' $arguments --target x86-64-linux --records bad_records \
            2>said.txt && grep -q 'bad_records/x86-64-linux.json: .*ignored' said.txt"
    done
}

# computes EXPECTED PROBLEM OPERAND=FILE...
computes() {
    local result
    result=$(sed -nE 's/^[a-z_]+_([a-z]+_gradient) .*/\1/p; s/^(sgd|adam) .*/updated_weights/p' <<<"$2")
    rm -f output.npy
    check "computes $2" "$LAMINA" run "$2" "${@:3}" "${result:-output}=output.npy"
    check "the result of $2 is $1" test "$(npy show output.npy 2>&1)" == "$1"
}

runs_every_operator() {
    npy write line.npy 1x1x3x1 1 2 4
    npy write square.npy 1x2x2x1 1 2 3 4
    npy write pair.npy 1x1x1x2 3 -4
    npy write kernel.npy 1x2x1x1 10 1
    npy write bias.npy 1 100
    npy write matrix.npy 2x1 2 3
    npy write_int32 indices.npy 1x1x1x1 3
    npy write single.npy 1x1x1x1 7
    npy write zeros.npy 1x1x1x2 0 0
    computes '1x1x2x1 112 124' 'cross_correlation in=1x1x3x1 out_channels=1 kernel_size=1x2' input=line.npy kernel=kernel.npy bias=bias.npy
    computes '1x1x2x1 21 42' 'convolution in=1x1x3x1 out_channels=1 kernel_size=1x2 epilogue=none' input=line.npy kernel=kernel.npy
    computes '1x1x4x1 10 21 42 4' 'transposed_convolution in=1x1x3x1 out_channels=1 kernel_size=1x2 epilogue=none' input=line.npy kernel=kernel.npy
    computes '1x1x2x1 184 268' 'separable_convolution in=1x1x3x1 out_channels=1 kernel_size=1x2 depthwise_epilogue=none' input=line.npy depthwise_kernel=kernel.npy kernel=single.npy bias=bias.npy
    computes '1x1x1x1 124' 'pooled_cross_correlation in=1x1x3x1 out_channels=1 kernel_size=1x2 pool_kernel_size=1x2' input=line.npy kernel=kernel.npy bias=bias.npy
    computes '1x1x2x1 2 4' 'max_pool in=1x1x3x1 kernel_size=1x2' input=line.npy
    computes '1x1x1x1 2.5' 'average_pool in=1x2x2x1 kernel_size=2' input=square.npy
    computes '1x1x1x1 10' 'lp_pool in=1x2x2x1 kernel_size=2 power=1' input=square.npy
    computes '1x1x1x1 4' 'global_max_pool in=1x2x2x1' input=square.npy
    computes '1x1x1x1 2.5' 'global_average_pool in=1x2x2x1' input=square.npy
    computes '1x2x2x1 0 0 0 7' 'max_unpool in=1x1x1x1 kernel_size=2' input=single.npy indices=indices.npy
    computes '1x1x1x1 94' 'dense in=1x1x1x2 out_channels=1' input=pair.npy kernel=matrix.npy bias=bias.npy
    computes '1x1x1x2 0.5 0.5' 'softmax in=1x1x1x2' input=zeros.npy
    computes '1x1x1x2 6 -8' 'add in=1x1x1x2' input=pair.npy residual=pair.npy
    npy write target.npy 1x1x1x2 1 0
    npy write_int32 labels.npy 1x1x1x1 1
    computes '1x1x1x1 0.6931472' 'softmax_cross_entropy in=1x1x1x2' input=zeros.npy labels=labels.npy
    computes '1x1x1x1 10' 'mean_squared_error in=1x1x1x2' input=pair.npy target=target.npy
    npy write weights.npy 2 1 -2
    npy write slopes.npy 2 2 4
    npy write moments.npy 2 4 8
    npy write sgd_rates.npy 3 0.5 0.25 0.5
    computes '2 -0.75 -4.5' 'sgd in=1x1x1x2' weights=weights.npy gradient=slopes.npy velocity=moments.npy rates=sgd_rates.npy updated_velocity=velocity.npy
    check 'and the velocity' test "$(npy show velocity.npy)" == '2 3.5 5'
    npy write adam_rates.npy 6 0.5 0.5 0.75 4 1 0
    computes '2 0.7 -2.409581' 'adam in=1x1x1x2' weights=weights.npy gradient=slopes.npy first_moment=moments.npy second_moment=moments.npy \
        rates=adam_rates.npy updated_first_moment=first.npy updated_second_moment=second.npy
    check 'and the moments' test "$(npy show first.npy) $(npy show second.npy)" == '2 3 6 2 4 10'
    npy write given.npy 1x1x2x1 3 -4
    npy write four.npy 1x1x4x1 1 2 3 4
    npy write active.npy 1x1x2x1 0 5
    npy write gate.npy 1x1x4x1 0 1 0 1
    npy write halves.npy 1x1x1x2 0.5 0.5
    npy write_int32 maxima.npy 1x1x2x1 1 2
    computes '1x1x3x1 30 -37 -4' 'cross_correlation_input_gradient in=1x1x3x1 out_channels=1 kernel_size=1x2' kernel=kernel.npy output_gradient=given.npy
    computes '1x2x1x1 -5 -10' 'cross_correlation_kernel_gradient in=1x1x3x1 out_channels=1 kernel_size=1x2' input=line.npy output_gradient=given.npy
    computes '1 -1' 'cross_correlation_bias_gradient in=1x1x3x1 out_channels=1 kernel_size=1x2' output_gradient=given.npy
    computes '1x1x2x1 0 -4' 'cross_correlation_residual_gradient in=1x1x3x1 out_channels=1 kernel_size=1x2 epilogue=bias,residual,relu' output=active.npy output_gradient=given.npy
    computes '1x1x3x1 3 26 -40' 'convolution_input_gradient in=1x1x3x1 out_channels=1 kernel_size=1x2' kernel=kernel.npy output_gradient=given.npy
    computes '1x2x1x1 -10 -5' 'convolution_kernel_gradient in=1x1x3x1 out_channels=1 kernel_size=1x2' input=line.npy output_gradient=given.npy
    computes '1 -1' 'convolution_bias_gradient in=1x1x3x1 out_channels=1 kernel_size=1x2' output_gradient=given.npy
    computes '1x1x2x1 0 -4' 'convolution_residual_gradient in=1x1x3x1 out_channels=1 kernel_size=1x2 epilogue=bias,residual,relu' output=active.npy output_gradient=given.npy
    computes '1x1x3x1 12 23 34' 'transposed_convolution_input_gradient in=1x1x3x1 out_channels=1 kernel_size=1x2' kernel=kernel.npy output_gradient=four.npy
    computes '1x2x1x1 17 24' 'transposed_convolution_kernel_gradient in=1x1x3x1 out_channels=1 kernel_size=1x2' input=line.npy output_gradient=four.npy
    computes '1 10' 'transposed_convolution_bias_gradient in=1x1x3x1 out_channels=1 kernel_size=1x2' output_gradient=four.npy
    computes '1x1x4x1 0 2 0 4' 'transposed_convolution_residual_gradient in=1x1x3x1 out_channels=1 kernel_size=1x2 epilogue=bias,residual,relu' output=gate.npy output_gradient=four.npy
    computes '1x1x3x1 0 3 -4' 'max_pool_input_gradient in=1x1x3x1 kernel_size=1x2' indices=maxima.npy output_gradient=given.npy
    computes '1x2x2x1 1.75 1.75 1.75 1.75' 'average_pool_input_gradient in=1x2x2x1 kernel_size=2' output_gradient=single.npy
    computes '1x2x2x1 7 7 7 7' 'lp_pool_input_gradient in=1x2x2x1 kernel_size=2 power=1' input=square.npy output=single.npy output_gradient=single.npy
    computes '1x2x2x1 0 0 0 7' 'global_max_pool_input_gradient in=1x2x2x1' indices=indices.npy output_gradient=single.npy
    computes '1x2x2x1 1.75 1.75 1.75 1.75' 'global_average_pool_input_gradient in=1x2x2x1' output_gradient=single.npy
    computes '1x1x1x1 4' 'max_unpool_input_gradient in=1x1x1x1 kernel_size=2' indices=indices.npy output_gradient=square.npy
    computes '1x1x1x2 14 21' 'dense_input_gradient in=1x1x1x2 out_channels=1' kernel=matrix.npy output_gradient=single.npy
    computes '2x1 21 -28' 'dense_kernel_gradient in=1x1x1x2 out_channels=1' input=pair.npy output_gradient=single.npy
    computes '1 7' 'dense_bias_gradient in=1x1x1x2 out_channels=1' output_gradient=single.npy
    computes '1x1x1x1 7' 'dense_residual_gradient in=1x1x1x2 out_channels=1 epilogue=bias,residual' output_gradient=single.npy
    computes '1x1x1x2 1.75 -1.75' 'softmax_input_gradient in=1x1x1x2' output=halves.npy output_gradient=pair.npy
    computes '1x1x1x2 3.5 -3.5' 'softmax_cross_entropy_input_gradient in=1x1x1x2' input=zeros.npy labels=labels.npy output_gradient=single.npy
    computes '1x1x1x2 14 -28' 'mean_squared_error_input_gradient in=1x1x1x2' input=pair.npy target=target.npy output_gradient=single.npy
    computes '1x1x2x1 2 4' 'max_pool in=?x1x3x1 kernel_size=1x2' input=line.npy --threads 2
    check 'indices are written as a second output' "$LAMINA" run 'max_pool in=1x1x3x1 kernel_size=1x2 indices=yes' input=line.npy output=output.npy indices=where.npy
    check 'and are right' test "$(npy show where.npy)" == '1x1x2x1 1 2'
    local listed
    for listed in $("$LAMINA" list operators | grep -oE '^[a-z_]+$' | grep -v '^keys$'); do
        check "this test runs $listed" grep -q "^    computes .* '$listed in=" "$SOURCE/tests/command_test.sh"
    done
}

refuses_operands() {
    local problem='max_pool in=1x1x3x1 kernel_size=1x2'
    npy write line.npy 1x1x3x1 1 2 4
    rm -f output.npy
    misused 'input: missing' run "$problem" output=output.npy
    misused 'output: missing' run "$problem" input=line.npy
    misused "unknown operand 'bias'; this problem has input, output" run "$problem" input=line.npy bias=line.npy output=output.npy
    misused 'input: given twice' run "$problem" input=line.npy input=line.npy output=output.npy
    misused 'expected OPERAND=FILE.npy' run "$problem" input=line.npy output=
    fails 'no_such.npy: No such file' run "$problem" input=no_such.npy output=output.npy
    npy write_float64 doubles.npy 1x1x3x1 1 2 4
    fails 'doubles.npy: type' run "$problem" input=doubles.npy output=output.npy
    npy write_int32 integers.npy 1x1x3x1 1 2 4
    fails "operand 'input' has element type i32, expected f32" run "$problem" input=integers.npy output=output.npy
    npy header fortran.npy "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1, 1, 1), }"
    fails 'fortran_order is True' run "$problem" input=fortran.npy output=output.npy
    npy write other.npy 1x1x2x1 1 2
    fails "operand 'input' has shape (1, 1, 2, 1), expected (1, 1, 3, 1)" run "$problem" input=other.npy output=output.npy
    head -c -4 line.npy >truncated.npy
    fails 'truncated' run "$problem" input=truncated.npy output=output.npy
    head -c 5 line.npy >stub.npy
    fails 'stub.npy' run "$problem" input=stub.npy output=output.npy
    echo 'no array' >text.npy
    fails 'not a .npy file' run "$problem" input=text.npy output=output.npy
    npy header huge.npy "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 3000000000, 3000000000), }"
    fails 'huge.npy' run "$problem" input=huge.npy output=output.npy
    fails 'regular file' run "$problem" input=/dev/zero output=output.npy
    check 'refused runs write no output' test ! -e output.npy
}

writes_whole_files() {
    local problem='max_pool in=1x1x3x1 kernel_size=1x2'
    npy write line.npy 1x1x3x1 1 2 4
    echo precious >kept.npy
    fails 'no_such.npy' run "$problem" input=no_such.npy output=kept.npy
    check 'a failed run leaves the old file' grep -q precious kept.npy
    fails 'cannot write' run "$problem" input=line.npy output=no/such/folder/output.npy
    fails 'cannot write' run "$problem" input=line.npy output=.
    fails 'No space left' run "$problem" input=line.npy output=/dev/full
    misused 'same file' run "$problem indices=yes" input=line.npy output=twice.npy indices=./twice.npy
    check 'an output may replace an input' "$LAMINA" run "$problem" input=line.npy output=line.npy
    check 'by the result' test "$(npy show line.npy)" == '1x1x2x1 2 4'
    check 'a full disk fails' bash -c "! '$LAMINA' list operators >/dev/full"
    check 'no temporary file is left' test -z "$(find . -name '.lamina-*')"
}

# on_a_small_disk KIB ARGUMENT...: files have room for so many KiB, also where TMPDIR says. What is said goes to a pipe first, so
# that there is room for it.
on_a_small_disk() {
    (
        ulimit -f "$1"
        TMPDIR=$PWD/full/temporary "$LAMINA" "${@:2}" 2>&1
        echo "status $?"
    ) | cat >said.txt
}
# finds_no_room KIB MESSAGE FILE ARGUMENT...: fails with that message, a pattern; leaves full/FILE as it was, and nothing else.
finds_no_room() {
    rm -rf full
    mkdir -p full/temporary
    echo precious >"full/$3"
    on_a_small_disk "$1" "${@:4}"
    check "a full disk fails: ${*:4}" grep -qx 'status 1' said.txt
    check "the message is '$2': ${*:4}: $(cat said.txt)" grep -qE -- "$2" said.txt
    check "the old file stays: ${*:4}" grep -qx precious "full/$3"
    check "and nothing is left: ${*:4}" test "$(find full | sort | tr '\n' ' ')" == "full full/$3 full/temporary "
}
reports_a_full_disk() {
    local problem='cross_correlation in=1x16x16x16 out_channels=16 kernel_size=3 padding=same'
    local pool='max_pool in=1x64x64x16 kernel_size=2'
    npy make large.npy 1x64x64x16
    finds_no_room 16 'full/output.npy: .*File too large' output.npy run "$pool" input=large.npy output=full/output.npy
    local kind
    for kind in json csv html; do
        finds_no_room 0 "full/bench.$kind: .*File too large" bench.$kind bench 'softmax in=1x1x1x8' --seconds 0.001 --$kind full/bench.$kind
    done
    finds_no_room 1 'nest.stmt: cannot write: File too large' nest.stmt explain "$problem" --loop-nest full/nest.stmt
    finds_no_room 64 'nest.html: could not be written to its end' nest.html explain "$problem" --loop-nest full/nest.html
    finds_no_room 4 'temporary/lamina-.*: the program ended while it wrote there' kernels.a compile "$problem" -o full
    finds_no_room 4 'temporary/lamina-.*: the program ended while it wrote there' kernels.h compile "$problem" -o full --target x86-64-linux,x86-64-linux-avx2
    finds_no_room 0 'describe.cpp: .*File too large' small.h compile small.hpp -o full
}

benches() {
    succeeds 'geomean' bench 'max_pool in=1x8x8x8 kernel_size=2' --seconds 0.001 --json bench.json
    check 'its JSON has a fraction of the peak' python3 -c 'import json; assert json.load(open("bench.json"))["rows"][0]["fraction_of_peak"] > 0'
    succeeds 'generic' bench 'max_pool in=1x8x8x8 kernel_size=2' --seconds 0.001 --schedule pool --schedule generic
    misused '--suite' bench
    misused "suite 'none'" bench --suite none
    misused "has a gradient 'weight_gradient'" bench --suite odd:weight_gradient
    succeeds 'cross_correlation_kernel_gradient in=' list records --suite odd:kernel_gradient --records ''
    misused '--seconds' bench 'softmax in=1x1x1x8' --seconds 0
    misused 'out_channels' bench 'dense in=1x1x1x8'
    rm -rf bench_folder && mkdir bench_folder && echo precious >bench_folder/kept.json
    misused 'no/such/folder/bench.json: cannot write' bench 'softmax in=1x1x1x8' --json no/such/folder/bench.json
    misused 'bench_folder: cannot write' bench 'softmax in=1x1x1x8' --json bench_folder
    misused 'out_channels' bench 'dense in=1x1x1x8' --json bench_folder/kept.json
    check 'a bench that does not end leaves the old file' bash -c "! timeout 1 '$LAMINA' bench 'softmax in=1x1x1x8' --seconds 60 \
        --json bench_folder/kept.json && grep -q precious bench_folder/kept.json"
    check 'and nothing beside it' test "$(ls -A bench_folder)" == kept.json
    fails 'cannot run' bench 'max_pool in=1x8x8x8 kernel_size=2' --target arm-64-linux
}

compiles() {
    cat >small.hpp <<'END'
#include <lamina/dsl.hpp>
inline constexpr auto small_network = lamina::network("small", lamina::Input{.height = 4, .width = 4, .channels = 2},
    lamina::MaxPool{.name = "shrink", .kernel_size = 2}, lamina::Softmax{.name = "classes"});
END
    cat >trained.hpp <<'END'
#include <lamina/network.hpp>
inline constexpr auto trained_network = lamina::network("trained", lamina::Input{.height = 4, .width = 4, .channels = 2},
    lamina::CrossCorrelation{.name = "mix", .out_channels = 4, .kernel_size = 1}, lamina::Softmax{.name = "classes"});
END
    printf 'blur: average_pool in=1x8x8x3 kernel_size=2 # a comment\n\nclasses: softmax in=?x1x1x8; generic\n' >listed.txt
    succeeds 'net/small.a' compile small.hpp -o net --target x86-64-linux
    check 'the header has a function of each layer' grep -q 'small_classes(lamina_context' net/small.h
    check 'and one of the whole network' grep -q 'Status infer(' net/small.h
    succeeds 'trained/small.h' compile trained.hpp --name small -o trained --target x86-64-linux --loss mean_squared_error
    check 'with a loss, its functions train it' grep -q 'Status backward(' trained/small.h
    succeeds 'deep/er/kernels.h' compile listed.txt -o deep/er --name kernels --target x86-64-linux,x86-64-linux-avx2
    succeeds 'one/kernels.a' compile 'softmax in=1x1x1x8' -o one --with-runtime
    check 'the runtime is written where it is asked for' test -s one/halide_runtime.o
    check 'nothing else is left in the folders' test "$(ls net deep/er one | tr '\n' ' ')" == \
        'deep/er: kernels.a kernels.h  net: small.a small.h  one: halide_runtime.o kernels.a kernels.h '
}

refuses_to_compile() {
    mkdir -p empty
    printf 'blur average_pool in=1x8x8x3 kernel_size=2\n' >no_colon.txt
    misused 'line 1' compile no_colon.txt -o empty
    printf 'ok: softmax in=1x1x1x8\nbad: softmax in=1x1x8\n' >bad_line.txt
    misused 'line 2' compile bad_line.txt -o empty
    : >none.txt
    misused 'no kernels' compile none.txt -o empty
    misused 'neither a problem nor a readable file' compile no_such.txt -o empty
    local name
    for name in '../escape' 'a b' '3d' 'int' '$(reboot)' 'a;b' ''; do
        printf '%s: softmax in=1x1x1x8\n' "$name" >hostile.txt
        misused 'must be a C identifier' compile hostile.txt -o empty --name fine
    done
    misused 'must be a C identifier' compile 'softmax in=1x1x1x8' -o empty --name '../../escape'
    printf 'a: softmax in=1x1x1x8\na: softmax in=1x1x1x8\n' >twice.txt
    misused "kernel name 'a': taken" compile twice.txt -o empty
    misused 'must be the name of a variable' compile small.hpp --network 'small; reboot' -o empty
    misused 'no network `large`' compile small.hpp --network large -o empty
    echo '#error unfinished' >broken.hpp
    misused 'unfinished' compile broken.hpp -o empty
    misused "loss 'hinge': expected softmax_cross_entropy or mean_squared_error" compile trained.hpp -o empty --loss hinge
    misused "optimiser 'rmsprop': expected sgd or adam" compile trained.hpp -o empty --loss mean_squared_error --optimiser rmsprop
    misused "network's last layer is one already" compile trained.hpp -o empty --loss softmax_cross_entropy
    misused 'no weights to train' compile small.hpp -o empty --loss mean_squared_error
    misused 'needs one network, 0 were given' compile 'softmax in=1x1x1x8' -o empty --loss mean_squared_error
    misused 'requires --loss' compile small.hpp -o empty --optimiser sgd
    misused 'no_such.hpp' compile no_such.hpp -o empty
    misused 'do not fit into one library' compile 'softmax in=1x1x1x8' -o empty --target x86-64-linux,arm-64-linux
    misused "unknown family 'quick'" compile 'softmax in=1x1x1x8' -o empty --schedule quick
    fails 'stderr.txt' compile 'softmax in=1x1x1x8' -o stderr.txt
    fails '/proc/' compile 'softmax in=1x1x1x8' -o /proc/self/fdinfo
    mkdir -p blocked/kernels.h
    fails 'blocked/kernels.h' compile 'softmax in=1x1x1x8' -o blocked
    check 'no library without its header' test "$(ls blocked)" == kernels.h
    mkdir -p blocked_runtime/halide_runtime.o
    fails 'blocked_runtime/halide_runtime.o' compile 'softmax in=1x1x1x8' -o blocked_runtime --with-runtime
    check 'no library without its runtime' test "$(ls blocked_runtime)" == halide_runtime.o
    check 'failures leave nothing behind' test -z "$(ls -A empty)"
    check 'no file escapes' test ! -e ../escape.a -a ! -e ../../escape.a
    printf 'ok: softmax in=1x1x1x8\n' >fine.txt
    check 'TMPDIR is left as it was' bash -c "mkdir -p temporary && TMPDIR=\$PWD/temporary '$LAMINA' compile fine.txt -o fine >/dev/null &&
        test -z \"\$(ls -A temporary)\""
}

# Every subcommand that makes intermediate files.
needs_a_temporary_folder() {
    local arguments
    export problem='softmax in=1x1x1x8'
    for arguments in 'explain "$problem"' 'explain "$problem" --loop-nest nest.stmt' 'bench "$problem"' 'compile "$problem" -o fine' \
        'compile small.hpp -o fine'; do
        check "without a temporary folder it fails: $arguments" bash -c "! TMPDIR=/no/such/folder '$LAMINA' $arguments >said.txt 2>&1 &&
            grep -q 'TMPDIR names where' said.txt"
    done
    TMPDIR=/no/such/folder "$LAMINA" compile small.hpp -o fine 2>said.txt
    check 'which is no wrong usage' test $? == 1
}

teaches
lists
names_what_is_wrong_with_a_problem
explains
warns_of_broken_records
runs_every_operator
refuses_operands
writes_whole_files
benches
compiles
reports_a_full_disk
refuses_to_compile
needs_a_temporary_folder
finish
