#!/usr/bin/env bash
#
# sim.sh - `sanwo sim` as a program: the same seed gives the same worlds, the report can be read by
# machines, one world can be seen again in each form, and misuse is refused.
set -u
export LC_ALL=C
: "${SANWO:?set it to the sanwo command to test}"
cases=0 failures=0
work=$(mktemp -d "${TMPDIR:-/tmp}/sanwo-interop.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
segments=1000000
[ -n "${SANWO_QUICK:-}" ] && segments=200000

check() { # NAME COMMAND...
    local name=$1 output
    shift
    cases=$((cases + 1))
    if output=$("$@" 2>&1); then
        echo "ok $cases - $name"
    else
        failures=$((failures + 1))
        echo "not ok $cases - $name"
        head -n 40 <<<"$output" | sed 's/^/#   /'
    fi
}

status_is() { # STATUS COMMAND...
    local expected=$1 status
    shift
    "$@" >out 2>err
    status=$?
    [ $status -eq "$expected" ] || {
        echo "status $status, not $expected"
        cat out err
        return 1
    }
}

differ() {
    ! cmp -s "$1" "$2"
}

# All but the clock.
json() { # FILE OPTIONS...
    local file=$1
    shift
    "$SANWO" sim --json --jobs 2 --verify 0 "$@" |
        sed 's/"seconds": [0-9.]*, "segments_per_second": [0-9]*/"seconds": 0/' >"$file"
    return "${PIPESTATUS[0]}"
}

check "many worlds, all well" "$SANWO" sim --seed 1 --segments $segments --verify 8
check "JSON: all well" json one --seed 2 --segments $((segments / 4))
check "JSON: again" json two --seed 2 --segments $((segments / 4))
check "JSON: another seed" json three --seed 3 --segments $((segments / 4))
check "the same seed, the same worlds" cmp one two
check "another seed, other worlds" differ one three
if command -v python3 >/dev/null; then
    check "JSON is JSON, and says what was done" python3 - one $((segments / 4)) <<'END'
import json, sys
r = json.load(open(sys.argv[1]))
assert r["segments"] >= int(sys.argv[2]) and r["worlds"] > 10, r
assert r["well"] is True and r["failures"] == [], r
assert r["talks"] == sum(r["ended"].values()) and r["ended"]["OK"] > 0, r
assert r["dealt"]["lost"] > 0 and r["memory_peak"] <= r["memory_budget"], r
END
fi

"$SANWO" sim --seed 1 --world 3 >text1
"$SANWO" sim --seed 1 --world 3 --pcap capture --ladder ladder >text2
check "one world: the same, observed or not" cmp text1 text2
check "one world: a ladder of both ends" grep -q ESTABLISHED ladder
check "one world: what it is made of" grep -q "faults for" text1
if command -v tshark >/dev/null; then
    tshark -n -r capture -T fields -e tcp.flags.str >flags 2>/dev/null
    check "one world: a capture" grep -q S flags
fi
"$SANWO" sim --seed 1 --world 3 --trace >trace
check "one world: each thing as it happens" grep -q "SYN-SENT > ESTABLISHED" trace
"$SANWO" sim --seed 1 --world 3 --only none >none
check "one world without faults" grep -q "^world 3 of seed 1: none" none
check "--list names the faults" sh -c "'$SANWO' sim --list | grep -q '^blackout '"
check "--help has an example" sh -c "'$SANWO' sim --help | grep -q 'sanwo sim --seed'"
check "an unknown fault is refused" status_is 2 "$SANWO" sim --only loss,gloss
check "--pcap without a world is refused" status_is 2 "$SANWO" sim --pcap capture
check "a folder that is not there" status_is 5 "$SANWO" sim --world 1 --ladder no/such/folder
echo "1..$cases"
[ "$failures" -eq 0 ]
