#!/bin/bash
# What `lamina tune` promises: it keeps what it found whatever ends it, leaves nothing torn, and refuses what it cannot do
# before it begins.
set -uo pipefail
source "$SOURCE/tests/support/check.sh"
fresh_folder

problem() { echo "cross_correlation in=1x$1x$1x16 out_channels=16 kernel_size=3x3 padding=same"; }

# Records that anything beats, so that there is something to find.
bad_records() {
    rm -rf "$1"
    mkdir -p "$1"
    local side entries=()
    for side in "${@:2}"; do
        entries+=("{\"problem\": \"$(problem "$side")\", \"schedule\": \"generic\", \"evidence\": {\"by\": \"hand\"}}")
    done
    (IFS=,; echo "[${entries[*]}]") >"$1/$target.json"
}
# records_hold FOLDER COUNT PATTERN: a whole file with so many records, so many of which match.
records_hold() {
    python3 - "$1/$target.json" "$2" "$3" <<'PYTHON'
import json, re, sys
records = json.load(open(sys.argv[1]))
matches = sum(bool(re.search(sys.argv[3], record["schedule"])) for record in records)
assert matches >= int(sys.argv[2]), records
PYTHON
}
tune_quietly() { "$LAMINA" tune "$@" --points 3 --budget 20s >stdout.txt 2>stderr.txt; }

finds_and_keeps() {
    bad_records found 8 9
    check 'tunes two problems' tune_quietly "$(problem 8)" "$(problem 9)" --records found --json trials.json
    check 'says what was and what is now' bash -c "grep -q 'was   generic' stdout.txt && grep -qE 'now   (direct|winograd),' stdout.txt"
    check 'both records are the found ones' records_hold found 2 '^(direct|winograd),'
    check 'its trials are JSON' python3 -c "import json; assert len(json.load(open('trials.json'))) == 2"
    check 'explain uses the record' bash -c "'$LAMINA' explain '$(problem 8)' --records found | grep -q 'record of this problem'"
    check 'resume leaves out what is done' bash -c \
        "'$LAMINA' tune '$(problem 8)' --records found --resume --budget 5s 2>stderr.txt | grep -q 'tuned before'"
}

interrupted_keeps_what_it_found() {
    bad_records interrupted 8
    "$LAMINA" tune "$(problem 8)" --records interrupted --budget 10m --json partial.json >stdout.txt 2>stderr.txt &
    local tuner=$!
    sleep 4
    kill -INT $tuner
    wait $tuner
    local status=$?
    check "exits as interrupted, not $status" test $status = 130
    check 'the best so far is a record' records_hold interrupted 1 '^(direct|winograd),'
    check 'and the trials are written' python3 -c "import json; assert json.load(open('partial.json'))[0]['trials']"
}

# The kernel ends the children of a process that was killed, in its own time.
no_tuner_is_left() {
    local attempt
    for attempt in {1..50}; do
        pgrep -f "tune.*--records $PWD/killed" >/dev/null || return 0
        sleep 0.1
    done
    echo "still there after attempt $attempt: $(pgrep -af "tune.*--records $PWD/killed")"
    return 1
}

killed_at_any_instant_loses_nothing() {
    bad_records killed 8 9 10 11
    check 'a first record is found' tune_quietly "$(problem 8)" --records "$PWD/killed"
    local number before
    for number in {1..20}; do
        before=$(cat "killed/$target.json")
        "$LAMINA" tune "$(problem 9)" "$(problem 10)" "$(problem 11)" --records "$PWD/killed" --resume --points 1 --budget 3s \
            >stdout.txt 2>stderr.txt &
        local tuner=$!
        sleep "0.$((number * 37 % 90 + 10))"
        kill -KILL $tuner
        wait $tuner 2>/dev/null
        check "after kill $number all records are whole" records_hold killed 4 '.'
        check "after kill $number the first record is still there" records_hold killed 1 '^(direct|winograd),'
        check "after kill $number no child is left" no_tuner_is_left
    done
    : "$before"
}

two_at_once() {
    bad_records both 8 9
    tune_quietly "$(problem 8)" --records both &
    local other=$!
    "$LAMINA" tune "$(problem 9)" --points 3 --budget 20s --records both >stdout2.txt 2>stderr2.txt
    wait $other
    check 'both tuners have their record' records_hold both 2 '^(direct|winograd),'
}

refuses() {
    refused() { # STATUS TEXT ARGUMENT...
        "$LAMINA" tune "${@:3}" >stdout.txt 2>stderr.txt
        [[ $? == "$1" ]] && grep -qF -- "$2" stderr.txt && [[ ! -s stdout.txt ]]
    }
    mkdir -p torn
    echo '[{' >"torn/$target.json"
    check 'nothing to tune' refused 2 'PROBLEM' --records found
    check 'an unknown operator' refused 2 'unknown operator' 'swirl in=1x8x8x8' --records found
    check 'a budget that is none' refused 2 "'soon'" "$(problem 8)" --budget soon --records found
    check 'a device' refused 2 'x86-64-linux-opencl' "$(problem 8)" --target x86-64-linux-opencl --records found
    check 'a CPU beside a target that runs here' refused 2 '--predict' "$(problem 8)" --cpu skylake --records found
    check 'a CPU that no model is of' refused 2 'pentium9' "$(problem 8)" --target arm-64-linux --cpu pentium9 --records found
    check 'a folder that cannot be' refused 2 'found' "$(problem 8)" --records "found/$target.json/x"
    check 'a torn file of records' refused 2 "torn/$target.json" "$(problem 8)" --records torn
    check 'which stays as it was' grep -qx '\[{' "torn/$target.json"
    check 'a report that cannot be written' refused 2 'nowhere' "$(problem 8)" --records found --json nowhere/trials.json
    check 'an unknown suite' refused 2 'everything' --suite everything --records found
    check 'an unknown strategy' refused 2 'luck' "$(problem 8)" --strategy luck --records found
}

target=$("$LAMINA" explain "$(problem 8)" --records '' | sed -n 's/^target  *\([^:]*\):.*/\1/p')
finds_and_keeps
interrupted_keeps_what_it_found
killed_at_any_instant_loses_nothing
two_at_once
refuses
finish
