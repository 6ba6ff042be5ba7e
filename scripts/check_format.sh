#!/usr/bin/env bash
#
# check_format.sh - Every C file is as clang-format would write it; --fix writes it so.
#
# Releases of clang-format differ: only number 14 counts. With another one the check is skipped
# (exit status 77).
set -u
cd "$(dirname "$0")/.." || exit 1

tool=
for name in clang-format-14 clang-format; do
    if command -v $name >/dev/null && $name --version | grep -q 'version 14\.'; then
        tool=$name
        break
    fi
done
if [ -z "$tool" ]; then
    echo "format: skipped: there is no clang-format 14 here"
    exit 77
fi

mapfile -t files < <(
    if git rev-parse --git-dir >/dev/null 2>&1; then
        git ls-files --cached --others --exclude-standard -- '*.c' '*.h' | sort -u
    else
        find include src drivers sim tools examples bench tests -name '*.[ch]' | sort
    fi | while read -r file; do [ -f "$file" ] && echo "$file"; done)
if [ "${#files[@]}" -eq 0 ]; then
    exit 0
fi

if [ "${1:-}" = --fix ]; then
    $tool -i --style=file "${files[@]}"
    exit
fi
wrong=0
for file in "${files[@]}"; do
    if ! $tool --style=file --dry-run --Werror "$file" >/dev/null 2>&1; then
        echo "$file: not in format; \"make format\" writes it so"
        wrong=$((wrong + 1))
    fi
done
echo "format: ${#files[@]} files, $wrong wrong"
[ "$wrong" -eq 0 ]
