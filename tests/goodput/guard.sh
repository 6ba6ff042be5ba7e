#!/usr/bin/env bash
#
# guard.sh - The sender's counts on some paths in virtual time are those that were recorded, and the same
# cell gives the same figures again.
#
# After a change that is meant: bench/goodput --record, and say in the commit what became better.
set -u
: "${SANWO:?set it to the sanwo command}"
source_folder=${SANWO_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
failures=0

result() { # STATUS NAME OUTPUT
    if [ "$1" -eq 0 ]; then
        echo "ok - $2"
    else
        echo "not ok - $2"
        failures=$((failures + 1))
    fi
    [ -z "$3" ] || sed 's/^/# /' <<<"$3"
}

# Without what depends on the machine.
figures() { # CELL...
    "$SANWO" bench goodput --json "$@" | sed 's/,"processor":.*//'
}

echo "1..4"
output=$("$SANWO" bench goodput --guard "$source_folder/tests/goodput/counts.tsv" 2>&1)
result $? "the counts are those recorded" "$output"

cell=(rate=20 rtt=30 loss=1 burst=3 reorder=5 flows=2 warm=1 measure=3 short=1)
first=$(figures "${cell[@]}" seed=7)
second=$(figures "${cell[@]}" seed=7)
[ -n "$first" ] && [ "$first" = "$second" ]
result $? "the same cell twice gives the same figures" ""

other=$(figures "${cell[@]}" seed=8)
[ -n "$other" ] && [ "${first/seed=7/seed=8}" != "$other" ]
result $? "another seed gives others" ""

output=$("$SANWO" bench goodput rate=0 2>&1)
[ $? -eq 2 ]
result $? "a cell that makes no sense is refused" "$output"
[ $failures -eq 0 ]
