#!/bin/bash
# `lamina tune` for a CPU that is not here: ranked by a model, checked under an emulator, recorded as a prediction.
set -uo pipefail
source "$SOURCE/tests/support/check.sh"
for program in aarch64-linux-gnu-g++ qemu-aarch64; do
    type -P "$program" >/dev/null || skip "there is no $program"
done
fresh_folder

small='cross_correlation in=1x8x8x16 out_channels=16 kernel_size=3x3 padding=same algorithm=exact'
pool='max_pool in=1x9x9x13 kernel_size=3x3 stride=2x2 padding=1x1 indices=yes'
file=predicted/arm-64-linux.json
mkdir predicted
cat >$file <<END
[{"problem": "$small", "schedule": "generic", "evidence": {"by": "lamina tune, predicted"}},
 {"problem": "$pool", "schedule": "generic", "evidence": {"by": "lamina tune, predicted"}}]
END
predict() { "$LAMINA" tune "$small" --target arm-64-linux --cpu cortex-a76 --points 4 --records predicted "$@" >said.txt; }
must predict --json trials.json
check 'it says for which CPU' grep -q 'predicted for cortex-a76' said.txt
check 'and that the emulated kernel is right' grep -q 'right under emulation' said.txt
check 'the record says that it is a prediction' python3 - <<END
import json
record, = (r for r in json.load(open("$file")) if r["problem"] == "$small")
assert record["schedule"].startswith("direct,"), record
assert record["evidence"]["cpu"] == "cortex-a76" and record["evidence"]["by"] == "lamina tune, predicted", record
assert record["evidence"]["gflops"] == 0, record
END
check 'its trials carry the predictions' python3 -c "
import json
assert all(t['predicted_cycles'] > 0 for t in json.load(open('trials.json'))[0]['trials'])"
check 'explain uses it' bash -c "'$LAMINA' explain '$small' --target arm-64-linux --records predicted | grep -q 'record of this problem'"

sed -i 's/"by": *"lamina tune, predicted"/"by": "hand"/' $file
predict 2>refused.txt
check 'a measured record stays' test $? = 1
check 'and it says why' grep -q 'was measured' refused.txt
finish
