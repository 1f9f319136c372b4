#!/bin/bash
# Schedule families in files of the user's: compiled once, kept, loaded, and every mistake is told.
set -uo pipefail
source "$SOURCE/tests/support/check.sh"
fresh_folder
export XDG_CACHE_HOME=$WORK/cache

# A compiler that notes what it compiles.
cat >counting <<END
#!/bin/sh
case " \$* " in *" -shared "*) echo "\$*" >>"$WORK/compiled" ;; esac
exec "$CXX" "\$@"
END
chmod +x counting
export CXX=$WORK/counting

problem='max_pool in=1x6x6x8 kernel_size=2'
npy() { python3 "$SOURCE/tests/support/npy.py" "$@"; }

# lamina_says STATUS TEXT ARGUMENT...: exits so and says that, to stdout or stderr.
lamina_says() {
    local status
    "$LAMINA" "${@:3}" >said.txt 2>&1
    status=$?
    [[ $status == "$1" ]] && grep -qF -- "$2" said.txt || { echo "status $status" && cat said.txt && false; }
}
succeeds() { check "succeeds and says '$1': ${*:2}" lamina_says 0 "$@"; }
fails() { check "fails and says '$1': ${*:2}" lamina_says 1 "$@"; }
misused() { check "is wrong usage and says '$1': ${*:2}" lamina_says 2 "$@"; }
# compiles COUNT ARGUMENT...: explaining the problem with these runs the compiler so often.
compiles() {
    : >compiled
    "$LAMINA" explain "$problem" "${@:2}" >said.txt 2>&1
    check "$1 compilation(s) for ${*:2}" test "$(wc -l <compiled)" == "$1"
}

# One file with a family for each promise, since it is reading Halide's header that takes the time.
cat >own.cpp <<'END'
#include "schedules/nests.hpp"

using namespace lamina;

namespace {
std::string fits(const Situation& s) { return s.target->is_gpu ? "it is for CPUs" : ""; }
std::string fits_throwing(const Situation&) { throw Halide::CompileError("no idea whether it fits"); }
std::vector<int> values(const Situation&) { return {1, 2}; }
std::string legal(const Situation&, const Knobs& knobs) { return knobs.get("rows") <= 2 ? "" : "rows: at most 2"; }
Knobs defaults(const Situation&, const Knobs&) { return {{"rows", 1}}; }
Knobs too_many(const Situation&, const Knobs&) { return {{"rows", 9}}; }
Knobs none(const Situation&, const Knobs&) { return {}; }
AlgorithmRequest request(const Situation&, const Knobs&) { return {}; }
void apply(Stages& a, const Situation& s, const Knobs&) { schedule_generically(a, s); }
void throwing(Stages& a, const Situation&, const Knobs&) { a.output.vectorize(Halide::Var("nowhere")); }
// Also for columns that the output does not have, whose windows lie behind the input.
void reaching(Stages& a, const Situation&, const Knobs&) { a.sum.compute_root().align_bounds(a.x, 64); }

const std::vector<Knob> knobs{{"rows", "rows of a tile", values}};
const Family plain{"plain", "as generic", knobs, legal, defaults, fits, request, apply};
const Family careless{"careless", "", knobs, legal, too_many, fits, request, apply};
const Family forgetful{"forgetful", "", knobs, legal, none, fits, request, apply};
const Family doubtful{"doubtful", "", knobs, legal, defaults, fits_throwing, request, apply};
const Family raging{"raging", "", knobs, legal, defaults, fits, request, throwing};
const Family grasping{"grasping", "", knobs, legal, defaults, fits, request, reaching};
} // namespace

LAMINA_REGISTER_FAMILY(plain, careless, forgetful, doubtful, raging, grasping)
END

uses_a_file() {
    compiles 1 --schedule own.cpp:plain,rows:2
    compiles 0 --schedule own.cpp:plain,rows:2
    succeeds 'schedule    plain,rows:2' explain "$problem" --schedule own.cpp:plain,rows:2
    succeeds 'plain,rows:1' bench "$problem" --seconds 0.001 --schedule own.cpp:plain
    succeeds 'rows of a tile' list families --schedules own.cpp
    succeeds 'schedule    plain,rows:1' explain "$problem" --schedules own.cpp --schedule plain
    succeeds 'because     analytic default of pool' explain "$problem" --schedules own.cpp --records ''
    npy write line.npy 1x1x3x1 1 2 4
    check 'run computes with it' "$LAMINA" run 'max_pool in=1x1x3x1 kernel_size=1x2' --schedule own.cpp:plain input=line.npy output=output.npy
    check 'what it should' test "$(npy show output.npy)" == '1x1x2x1 2 4'
    printf 'shrink: %s; plain,rows:2\n' "$problem" >own.kernels
    succeeds 'out/own.h' compile own.kernels -o out --schedules own.cpp --variant 'one: plain' --variant 'other: own.cpp:plain,rows:2'
    check 'the header says which schedule each function has' test "$(grep -c 'plain,rows:2 (given' out/own.h)" == 2
    check 'and lists the variants' grep -qF '{"one", "plain", shrink_one,' out/own.h
}

tells_what_is_wrong_with_a_family() {
    misused 'name one of its families, as own.cpp:plain' explain "$problem" --schedule own.cpp
    misused "has no family 'plaid'; it has plain, careless" explain "$problem" --schedule own.cpp:plaid
    misused 'plain: rows: at most 2' explain "$problem" --schedule own.cpp:plain,rows:3
    misused 'plain: it is for CPUs' explain "$problem" --schedule own.cpp:plain --target x86-64-linux-opencl
    misused 'careless: rows: at most 2' explain "$problem" --schedule own.cpp:careless
    misused "its defaults leave out the knob 'rows'" explain "$problem" --schedule own.cpp:forgetful
    misused 'no idea whether it fits' explain "$problem" --schedule own.cpp:doubtful
    fails 'nowhere' explain "$problem" --schedule own.cpp:raging
    fails 'nowhere' bench "$problem" --seconds 0.001 --schedule own.cpp:raging --schedule pool
    check 'bench goes on behind a family that throws' grep -q '^    pool,' said.txt
    fails 'the schedule reaches outside of Input buffer input: from 0 to 64 in dimension 1' bench "$problem" --seconds 0.001 --schedule own.cpp:grasping
    misused "variant 'narrow': must be" compile "$problem" --variant narrow
    misused "variant 'a b: pool': must be" compile "$problem" --variant 'a b: pool'
    misused "kernel name 'run_pack': taken" compile "$problem" --variant 'pack: pool'
    misused "kernel name 'run_variants': taken" compile "$problem" --variant 'variants: pool'
}

tells_what_is_wrong_with_a_file() {
    misused 'no_such.cpp: No such file or directory' explain "$problem" --schedule no_such.cpp
    misused 'no_such.cpp: No such file or directory' compile "$problem" --schedules no_such.cpp
    mkdir folder.cpp
    misused 'folder.cpp: not a file' explain "$problem" --schedule folder.cpp
    echo 'int answer = question;' >broken.cpp
    misused 'broken.cpp: does not compile' explain "$problem" --schedule broken.cpp
    check 'with what the compiler says' grep -q "question" said.txt
    echo 'int nothing;' >nothing.cpp
    misused 'nothing.cpp: it registers no family' explain "$problem" --schedule nothing.cpp
    echo 'extern "C" { extern int lamina_families; int missing(); int lamina_families = missing(); }' >unlinked.cpp
    misused 'undefined symbol: missing' explain "$problem" --schedule unlinked.cpp
    sed 's|^} // namespace|const Family second{"direct", "", knobs, legal, defaults, fits, request, apply};\n}|; s|(plain, .*)|(second)|' own.cpp >taken.cpp
    misused "taken.cpp: family 'direct': there is a family of that name already" explain "$problem" --schedule taken.cpp
    check 'without a compiler it says so' bash -c "! CXX=/no/compiler '$LAMINA' explain '$problem' --schedule own.cpp:plain >said.txt 2>&1 &&
        grep -q '/no/compiler: No such file' said.txt"
    misused "unknown family 'own.txt'" explain "$problem" --schedule own.txt
}

# With a file that takes no time to compile: it claims to be of another Lamina.
keeps_what_it_compiled() {
    mkdir 'with space'
    echo '#define VERSION 99' >'with space/part.hpp'
    cat >'with space/other.cpp' <<'END'
#include "part.hpp"
struct Export { int version, halide; long layout; };
extern "C" { extern const Export lamina_families __attribute__((visibility("default"))); }
const Export lamina_families{VERSION, 210000, 1};
END
    local file='with space/other.cpp'
    compiles 1 --schedules "$file"
    check 'a file of another Lamina is refused' grep -q 'other.cpp: it was compiled for another Lamina: family interface 99' said.txt
    compiles 0 --schedules "$file"
    echo '#define VERSION 98' >'with space/part.hpp'
    compiles 1 --schedules "$file"
    check 'an edit of what it includes counts' grep -q 'family interface 98' said.txt
    compiles 0 --schedules "$file"
    for object in cache/lamina/other-*; do echo spoilt >"$object"; done
    compiles 1 --schedules "$file"
    compiles 0 --schedules "$file"
    check 'nothing else is left in the cache' test -z "$(ls -A cache/lamina | grep -v '\.so$')"
    chmod 777 cache/lamina
    compiles 1 --schedules "$file"
    chmod 700 cache/lamina
    XDG_CACHE_HOME=/proc compiles 1 --schedules "$file"
    check 'without a cache it answers all the same' grep -q 'family interface 98' said.txt
}

uses_a_file
tells_what_is_wrong_with_a_family
tells_what_is_wrong_with_a_file
keeps_what_it_compiled
finish
