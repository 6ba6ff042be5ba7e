#!/usr/bin/env bash
# cost.sh - What one more packet of an attack costs when the attack is much larger, in instructions.
#
#     test_scoreboard, under callgrind, with SANWO_COST_...: the difference of two runs is the price
#
# B-02: an acknowledgement that comes to N holes; the same where every other one reports all that is
# in flight as one block. B-05: a piece behind holes.
set -euo pipefail

program=$(dirname "$SANWO")/tests/attacks/test_scoreboard
command -v valgrind > /dev/null || { echo "skipped: there is no valgrind"; exit 77; }
[[ -x $program ]] || { echo "skipped: there is no $program"; exit 77; }
if nm -D "$program" 2> /dev/null | grep -q __asan_init; then
    echo "skipped: the program is built with a sanitizer"
    exit 77
fi

instructions() {
    env "$@" valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" 2>&1 |
        sed -n 's/.*Collected : *//p'
}

# price MORE-RUN LESS-RUN COUNT
price() {
    echo $((($1 - $2) / $3))
}

# at_most NAME SMALL LARGE PERCENT
at_most() {
    echo "$1: $2 instructions, in the larger attack $3"
    if (($3 * 100 > $2 * $4)); then
        echo "$1: more than $4 % of the smaller" >&2
        exit 1
    fi
}

# holes COUNT [VARIABLE=VALUE]
holes() {
    local more less count=$1
    shift
    more=$(instructions "$@" SANWO_COST_HOLES="$count" SANWO_COST_ACKS=300)
    less=$(instructions "$@" SANWO_COST_HOLES="$count" SANWO_COST_ACKS=100)
    price "$more" "$less" 200
}

pieces() {
    local more less
    more=$(instructions SANWO_COST_PIECES=$(($1 * 2)))
    less=$(instructions SANWO_COST_PIECES="$1")
    price "$more" "$less" "$1"
}

# Hundreds of times the holes: no more than before, but for two bisections in place of one.
at_most "B-02 an acknowledgement" "$(holes 60)" "$(holes 16000)" 140
# A block that spans all of them, again and again: whole chunks of records are passed over.
at_most "B-02 a block over everything" "$(holes 60 SANWO_COST_WIDE=1)" \
    "$(holes 16000 SANWO_COST_WIDE=1)" 500
# Ten times the pieces: no more than before.
at_most "B-05 a piece out of order" "$(pieces 500)" "$(pieces 5000)" 120
