# Sourced by the tests that are scripts. They get by environment variables what CMake knows: LAMINA (the command), SOURCE,
# BUILD (the build tree), WORK (a folder of their own in it), CMAKE, NINJA, CC, CXX and SANITIZED (ON or OFF).
# Exit status: 0 all promises kept, 1 some broken, 77 skipped.

promises=0
broken=0

# check WHAT_IS_PROMISED COMMAND...: holds where the command succeeds. Its output is shown where it does not.
check() {
    promises=$((promises + 1))
    local said
    if ! said=$("${@:2}" 2>&1); then
        broken=$((broken + 1))
        printf 'BROKEN: %s\n  %s\n' "$1" "${*:2}"
        [[ -z $said ]] || head -n 40 <<<"$said" | cut -c 1-400 | sed 's/^/    /'
    fi
}

# Ends the test where a step fails on which all others stand.
must() {
    local said
    if ! said=$("$@" 2>&1); then
        printf 'FAILED: %s\n' "$*"
        tail -n 40 <<<"$said" | cut -c 1-400
        exit 1
    fi
}

skip() {
    printf 'SKIPPED: %s\n' "$1"
    exit 77
}

finish() {
    printf '%s promises, %s broken\n' "$promises" "$broken"
    exit $((broken > 0 || promises == 0))
}

fresh_folder() {
    rm -rf "${WORK:?}"
    mkdir -p "$WORK"
    cd "$WORK" || exit 1
}

# list_kernels HEADER: C++ that includes a generated header and lists its kernels, for library_check.cpp.
list_kernels() {
    printf '#include "%s"\nstatic const lamina_kernel* const listed_kernels[] = {\n' "$(basename "$1")"
    sed -n 's/^static const lamina_kernel \([a-zA-Z0-9_]*\) = {$/    \&\1,/p' "$1"
    printf '};\n'
}

# Sources of library_check.cpp and of the references that it compares with. They need no library.
library_check_sources=("$SOURCE"/tests/support/{library_check,random_operands,tolerance}.cpp "$SOURCE"/tests/reference/*.cpp)
