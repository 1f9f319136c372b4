#!/bin/bash
# The source's rules that a program can check: format, clang-tidy, what each room may include, where schedules and questions
# for CPU features stand. LAMINA_STYLE=quick leaves clang-tidy out.
set -uo pipefail
source "$SOURCE/tests/support/check.sh"
fresh_folder
cd "$SOURCE" || exit 1
for program in git clang-format clang-tidy python3; do
    type -P $program >/dev/null || skip "there is no $program"
done
git rev-parse --is-inside-work-tree >/dev/null 2>&1 || skip 'this is no git checkout, which knows the files'

mapfile -t sources < <(git ls-files '*.cpp' '*.hpp' '*.c' '*.h')
check 'there are sources' test ${#sources[@]} -gt 50
# Names the files alone: `clang-format -i FILE` mends one.
are_formatted() {
    local others
    others=$(clang-format --dry-run "$@" 2>&1 | sed -nE 's/^([^ :]+):[0-9]+:[0-9]+: .*clang-format.*/\1/p' | sort -u)
    [[ -z $others ]] || { printf 'not formatted: %s\n' $others && false; }
}
check 'every source is formatted' are_formatted "${sources[@]}"

# includes FOLDER... [:!FILE...]: FILE:LINE:NAME of each #include there, NAME in its quotes or brackets.
includes() {
    local place places=()
    for place in "$@"; do [[ $place == :!* ]] && places+=("$place") || places+=("$place/*.[ch]*"); done
    git grep -nE '^ *# *include' -- "${places[@]}" | sed -E 's/# *include *//' | grep -vE 'CMakeLists'
}

# only_includes ROOM PATTERN: every #include of the room matches.
only_includes() {
    local others
    others=$(includes "$1" | grep -vE ":($2)( |\$)")
    [[ -z $others ]] || { printf '%s\n' "$others" && false; }
}
standard='<[a-z_0-9]+>'
system='<(dlfcn|fcntl|poll|pthread|sched|signal|spawn|unistd|sys/[a-z]+)\.h>'
dsl='["<]lamina/[a-z_]+\.hpp[">]'
halide='<Halide\.h>'
fmt='<fmt/[a-z]+\.h>'
json='<nlohmann/[a-z_]+\.hpp>'
room() { printf '"(%s)/[a-z_]+\.hpp"' "$1"; }
check 'dsl knows the standard library alone' only_includes dsl "$standard|$dsl"
check 'schedules know dsl and Halide' only_includes schedules "$standard|<dlfcn\.h>|$dsl|$halide|$fmt|$json|$(room schedules)"
check 'generators know dsl, schedules and Halide' only_includes generators "$standard|$dsl|$halide|$fmt|<stdlib.h>|$system|$(room 'schedules|generators')"
check 'the runtime knows dsl, JSON and the header of Halide'"'"'s runtime' only_includes runtime \
    "$standard|$system|$json|<std[a-z]+\.h>|<HalideRuntime[A-Za-z]*\.h>|[\"<]lamina/[a-z_]+\.hp*[\">]|\"[a-z_]+\.hpp\""
check 'the tuner knows everything but the tools' only_includes tuner \
    "$standard|$system|$dsl|[\"<]lamina/runtime\.h[\">]|$halide|<HalideRuntime.h>|<llvm/[A-Za-z_/]+\.h>|$fmt|$json|$(room 'schedules|generators|tuner')"
check 'tools know everything but LLVM' only_includes tools \
    "$standard|$system|$dsl|[\"<]lamina/runtime\.h[\">]|$halide|<CLI/CLI.hpp>|$fmt|$json|$(room 'schedules|generators|tuner|tools')|\"[a-z_]+\.hpp\""
nobody_includes() { # PATTERN FOLDER...
    local found
    found=$(includes "${@:2}" | grep -E "$1")
    [[ -z $found ]] || { printf '%s\n' "$found" && false; }
}
check 'nobody outside benchmarks knows the libraries that Lamina is compared with' nobody_includes '[<"](oneapi/|dnnl)' \
    dsl schedules generators runtime tuner tools examples tests cmake
# A family of an app's own is compiled by the command, not into the app.
check 'examples know the runtime and generated headers' nobody_includes '[<"](Halide\.h|llvm/|schedules/|generators/|tuner/|tools/)' examples \
    ':!examples/my_schedule/pointwise.cpp'

# nowhere PATTERN PATH...: no line of these files matches.
nowhere() {
    local found
    found=$(git grep -nE "$1" -- "${@:2}")
    [[ -z $found ]] || { printf '%s\n' "$found" && false; }
}
calls='compute_at|compute_root|store_at|store_root|compute_inline|compute_with|vectorize|unroll|parallel|serial|split|fuse|tile|reorder'
calls+='|reorder_storage|bound|bound_storage|bound_extent|align_bounds|align_storage|fold_storage|hoist_storage|prefetch|rfactor|atomic|specialize'
calls+='|gpu_[a-z_]+|hexagon|memoize|async|store_in|never_partition|always_partition|unscheduled|partition'
check 'generators do not schedule' nowhere "(\.|->)($calls)\(" 'generators/*.cpp' 'generators/*.hpp'
check 'only the table of targets asks for CPU features' nowhere 'Target::(SSE|AVX|F16C|FMA|ARM|SVE|NoNEON|RVV|CUDA)' \
    dsl schedules generators runtime tuner tools ':!schedules/target_facts.cpp'

if [[ ${LAMINA_STYLE:-} != quick ]]; then
    [[ -e $BUILD/compile_commands.json ]] || skip 'there is no compile_commands.json: configure with CMAKE_EXPORT_COMPILE_COMMANDS'
    check 'clang-tidy finds nothing' python3 tests/support/tidy.py clang-tidy "$SOURCE" "$BUILD" "$BUILD/tidy"
fi
finish
