#!/bin/bash
# The pages' generated parts are what the command prints, and every relative link leads to a file, a folder or a heading.
set -uo pipefail
source "$SOURCE/tests/support/check.sh"
fresh_folder

page=$SOURCE/docs/operators.md
check 'docs/operators.md exists' test -f "$page"
"$LAMINA" list operators --markdown >printed.md || exit 1
sed -n '/^<!-- begin: lamina list operators -->$/,/^<!-- end -->$/p' "$page" 2>/dev/null | sed '1d;$d' | sed '/./,$!d' |
    tac | sed '/./,$!d' | tac >written.md
check 'its tables are those of `lamina list operators --markdown`' diff written.md printed.md

# leads_somewhere FILE TARGET: to a file or folder of the project, not just of this checkout, and to a heading behind a #.
leads_somewhere() {
    local path=$1
    [[ $2 == '#'* ]] || path=$(dirname "$1")/${2%%#*}
    [[ -n $(git ls-files -- "$path") ]] || return 1
    [[ $2 != *'#'* ]] || sed -nE 's/^#+ +//p' "$path" | tr 'A-Z ' 'a-z-' | sed 's/[^a-z0-9_-]//g' | grep -xF -- "${2#*#}" >/dev/null
}

# Links to other sites are not followed, and neither are those in blocks of code.
cd "$SOURCE" || exit 1
if ! git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    printf 'not checked: the links, because this is no git checkout, which knows the files\n'
    finish
fi
links=0
while IFS=: read -r file target; do
    links=$((links + 1))
    check "$file: the link to $target leads somewhere" leads_somewhere "$file" "$target"
done < <(for file in $(git ls-files '*.md'); do
    awk '/^ *```/ {in_code = !in_code} !in_code' "$file" | grep -oE '\]\([^)[:space:]]+\)' | sed -E 's/^\]\(|\)$//g' |
        grep -vE '^[a-z]+:' | sed "s|^|$file:|"
done)
check 'links are found' test $links -gt 0
finish
