#!/bin/bash
# The pages' generated parts are what the command prints, and every relative link leads to a file.
set -uo pipefail
source "$SOURCE/tests/support/check.sh"
fresh_folder

page=$SOURCE/docs/operators.md
check 'docs/operators.md exists' test -f "$page"
"$LAMINA" list operators --markdown >printed.md || exit 1
sed -n '/^<!-- begin: lamina list operators -->$/,/^<!-- end -->$/p' "$page" 2>/dev/null | sed '1d;$d' | sed '/./,$!d' |
    tac | sed '/./,$!d' | tac >written.md
check 'its tables are those of `lamina list operators --markdown`' diff written.md printed.md

# Links to other sites are not followed, and neither are those in blocks of code.
cd "$SOURCE" || exit 1
while IFS=: read -r file target; do
    target=${target%%#*}
    check "$file: the link to $target leads to a file" test -z "$target" -o -e "$(dirname "$file")/$target"
done < <(for file in $(git ls-files '*.md' | grep -E '^(README|docs/|examples/|benchmarks/)'); do
    awk '/^ *```/ {in_code = !in_code} !in_code' "$file" | grep -oE '\]\([^)[:space:]]+\)' | sed -E 's/^\]\(|\)$//g' |
        grep -vE '^[a-z]+:' | sed "s|^|$file:|"
done)
finish
