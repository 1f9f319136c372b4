#!/bin/sh
# Usage: compile_fail_test.sh COMPILER INCLUDE_DIR FOLDER
# Every source in FOLDER says in its first line what the compiler must say within its first lines:
# `// expect: TEXT`, or `// expect: success`.
set -u
lines=12
if [ $# -ne 3 ]; then
    echo "usage: $0 COMPILER INCLUDE_DIR FOLDER" >&2
    exit 2
fi
compiler=$1 include=$2 folder=$3
failures=0 files=0

# Whether the compiler's answer ($2 its status, $3 its words) is the one expected ($1).
is_expected() {
    case $1 in
    '') return 1 ;;
    success) [ "$2" -eq 0 ] ;;
    *) [ "$2" -ne 0 ] && printf '%s\n' "$3" | head -n "$lines" | grep -qF -- "$1" ;;
    esac
}

for source in "$folder"/*.cpp; do
    [ -e "$source" ] || continue
    files=$((files + 1))
    expected=$(sed -n '1s|^// expect: ||p' "$source")
    answer=$("$compiler" -std=c++20 -fsyntax-only -I"$include" "$source" 2>&1)
    status=$?
    if is_expected "$expected" "$status" "$answer"; then
        echo "PASS $(basename "$source"): $expected"
    else
        failures=$((failures + 1))
        echo "FAIL $(basename "$source"): expected '$expected', got status $status and"
        printf '%s\n' "$answer" | head -n "$lines" | cut -c 1-300
    fi
done

echo "$files files, $failures failures"
[ "$failures" -eq 0 ] && [ "$files" -gt 0 ]
