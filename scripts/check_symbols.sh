#!/usr/bin/env bash
#
# check_symbols.sh - What the release libraries show, want and hold.
#
#     scripts/check_symbols.sh [build]
#
#   core, static   global symbols begin with sw_ or sanwo_; it wants memcpy, memmove, memset and
#                  memcmp and nothing else; no section holds mutable data
#   shared ones    show only sanwo_
#
# Reads the ordinary code with readelf, which link-time optimisation's copy beside it cannot fool.
set -u
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C
build=${1:-build}
core=$build/libsanwo.a
wrong=0

if [ ! -f "$core" ]; then
    echo "check_symbols: there is no $core: run make first" >&2
    exit 1
fi

complain() { # what, names (one a line; nothing to say if empty)
    [ -z "$2" ] && return
    echo "symbols: $1:"
    printf '%s\n' "$2" | sed 's/^/    /'
    wrong=1
}

table=$(readelf --symbols --wide "$core" | awk '$1 ~ /^[0-9]+:$/ && $5 ~ /^(GLOBAL|WEAK)$/')
defined=$(awk '$7 != "UND" { print $8 }' <<<"$table" | sort -u)
wanted=$(awk '$7 == "UND" { print $8 }' <<<"$table" | sort -u)

if [ -z "$defined" ]; then
    echo "symbols: $core defines nothing" >&2
    exit 1
fi
complain "linkable names of the core without sw_ or sanwo_" \
    "$(grep -vE '^(sw|sanwo)_|^__gnu_lto_' <<<"$defined")"
complain "the core wants more than four functions of <string.h>" \
    "$(comm -13 <(echo "$defined") <(echo "$wanted") |
       grep -vE '^(memcpy|memmove|memset|memcmp|_GLOBAL_OFFSET_TABLE_)?$')"

# [Nr] Name Type Address Off Size ES Flags: writable, allocated, not empty. Constant tables of
# pointers are writable only while the loader relocates them.
complain "mutable data in the core" "$(readelf --sections --wide "$core" | sed 's/^ *\[ *[0-9]*\]//' |
    awk '/^File:/ { file = $2 }
         $7 ~ /W/ && $7 ~ /A/ && $5 !~ /^0+$/ && $1 !~ /^\.data\.rel\.ro/ {
             print file ": " $1 ", 0x" $5 " bytes" }')"

for library in "$build"/libsanwo*.so; do
    complain "names that $(basename "$library") shows without sanwo_" \
        "$(readelf --dyn-syms --wide "$library" |
           awk '$1 ~ /^[0-9]+:$/ && $5 != "LOCAL" && $7 != "UND" { print $8 }' |
           grep -vE '^sanwo_' | sort -u)"
done

echo "symbols: $(wc -l <<<"$defined") linkable names in the core, $(
    grep -c '^sanwo_' <<<"$defined") of them public"
exit $wrong
