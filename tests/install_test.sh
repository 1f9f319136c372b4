#!/bin/bash
# The installed package serves a project that knows nothing of this source tree, also where it was moved to.
set -uo pipefail
source "$SOURCE/tests/support/check.sh"
fresh_folder
export XDG_CACHE_HOME=$WORK/cache

must "$CMAKE" --install "$BUILD" --prefix "$WORK/prefix"
mv prefix moved
check 'nothing but headers is under include' test -z "$(find moved/include -type f ! -name '*.h' ! -name '*.hpp')"
check 'the installed command runs' moved/bin/lamina list operators
check 'it finds its records and suites' test -d moved/share/lamina/records -a -d moved/share/lamina/suites
check 'no installed CMake file names the source tree' bash -c "! grep -rqF '$SOURCE/' moved/lib*/cmake/Lamina"

cp -r "$SOURCE/tests/consumer" consumer
options=()
[[ $SANITIZED == OFF ]] || options=(-DLAMINA_SANITIZE=ON -DCMAKE_CXX_FLAGS=-fsanitize=address,undefined)
must "$CMAKE" -S consumer -B built -G Ninja -DCMAKE_MAKE_PROGRAM="$NINJA" -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_PREFIX_PATH="$WORK/moved" -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF "${options[@]}"
must "$CMAKE" --build built -j1
check 'a schedule behind a semicolon is the one used' grep -q 'x86-64-linux-avx2: generic (given' built/filters-kernels/filters.h
check 'a network has the schedule of a family of its own' grep -q 'x86-64-linux: by_rows,rows:1 (given' built/stack-kernels/stack.h
check 'the app computes what the formulas say' built/app
check 'a second build has nothing to do' bash -c "'$CMAKE' --build built | grep -q 'no work to do'"

echo '// edited' >>consumer/by_rows.cpp
check 'an edited family compiles its kernels anew' bash -c "'$CMAKE' --build built | grep -q 'Compiling the kernels of choices'"

# What a project does wrong is told when it is configured.
refused() { # what CMake must say, the line that is wrong
    rm -rf wrong && mkdir wrong
    cat >wrong/CMakeLists.txt <<END
cmake_minimum_required(VERSION 3.28)
project(Wrong LANGUAGES CXX)
find_package(Lamina REQUIRED)
$2
END
    check "CMake refuses $2" bash -c "! '$CMAKE' -S wrong -B wrong/built -G Ninja -DCMAKE_MAKE_PROGRAM='$NINJA' \
        -DCMAKE_CXX_COMPILER='$CXX' -DCMAKE_PREFIX_PATH='$WORK/moved' >wrong/said 2>&1 && tr -s '\n ' ' ' <wrong/said | grep -qF -- \"$1\""
}
refused 'KERNELS is missing' 'lamina_add_kernels(a)'
refused 'HEADER is missing' 'lamina_add_network(a TARGETS x86-64-linux)'
refused 'OPTIMISER without LOSS' 'lamina_add_network(a HEADER b.hpp OPTIMISER sgd)'
refused 'not understood: SCHEDUL' 'lamina_add_kernels(a SCHEDUL generic KERNELS "b: softmax in=1x1x1x8")'
refused "'SCHEDUL' is not of the form" 'lamina_add_kernels(a KERNELS "b: softmax in=1x1x1x8" SCHEDUL generic)'
refused "'c generic' is not of the form" 'lamina_add_kernels(a KERNELS "b: softmax in=1x1x1x8" VARIANTS "c generic")'
finish
