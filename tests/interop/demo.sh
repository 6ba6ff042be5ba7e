#!/usr/bin/env bash
#
# demo.sh - `sanwo demo` as others read it: the same seed gives the same bytes in each format, the
# classic lines are tcpdump's of old, and tshark finds nothing wrong in the capture.
set -u
export LC_ALL=C
: "${SANWO:?set it to the sanwo command to test}"
cases=0 failures=0
work=$(mktemp -d "${TMPDIR:-/tmp}/sanwo-interop.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

check() { # NAME COMMAND...
    local name=$1 output
    shift
    cases=$((cases + 1))
    if output=$("$@" 2>&1); then
        echo "ok $cases - $name"
    else
        failures=$((failures + 1))
        echo "not ok $cases - $name"
        head -n 20 <<<"$output" | sed 's/^/#   /'
    fi
}

differ() {
    ! cmp -s "$1" "$2"
}

same_seed() { # FORMAT OPTIONS...
    local format=$1
    shift
    "$SANWO" demo --format "$format" --seed 5 "$@" >"$work/one"
    "$SANWO" demo --format "$format" --seed 5 "$@" >"$work/two"
    "$SANWO" demo --format "$format" --seed 6 "$@" >"$work/three"
    check "$format $*: something is printed" test -s "$work/one"
    check "$format $*: the same seed, the same bytes" cmp "$work/one" "$work/two"
    check "$format $*: another seed, other bytes" differ "$work/one" "$work/three"
}

classic() {
    local a=192.168.1.116 b=192.168.1.123
    "$SANWO" demo --a $a:3337 --b $b:7788 --isn-a 3626544836 --isn-b 1739326486 --format classic \
        >"$work/classic"
    sed -n 1p "$work/classic" >"$work/line1"
    sed -n 2p "$work/classic" >"$work/line2"
    sed -n 3p "$work/classic" >"$work/line3"
    check "classic: the SYN" \
        grep "^IP $a\.3337 > $b\.7788: S 3626544836:3626544836" "$work/line1"
    check "classic: the SYN,ACK" \
        grep "^IP $b\.7788 > $a\.3337: S 1739326486:1739326486.* ack 3626544837" "$work/line2"
    check "classic: the ACK" \
        grep "^IP $a\.3337 > $b\.7788: \. ack 1739326487" "$work/line3"
}

# The filter names what must not be there.
captured() { # NAME OPTIONS...
    local name=$1
    shift
    if ! command -v tshark >/dev/null; then
        cases=$((cases + 1))
        echo "ok $cases - capture, $name # skip tshark is not installed"
        return
    fi
    check "capture, $name: the demo ends well" "$SANWO" demo --pcap "$work/capture" --ascii "$@"
    tshark -n -r "$work/capture" -T fields -e tcp.flags.str >"$work/flags" 2>"$work/error"
    check "capture, $name: tshark reads it" grep -q S "$work/flags"
    tshark -n -r "$work/capture" -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE \
        -Y '_ws.malformed || tcp.checksum.status == "Bad" || ip.checksum.status == "Bad"' \
        >"$work/bad" 2>"$work/error"
    check "capture, $name: nothing malformed, no bad checksum" cmp "$work/bad" /dev/null
}

for format in ladder tcpdump classic json svg; do
    same_seed $format
    same_seed $format --loss 10 --bytes 20000
done
classic
captured plain
captured IPv6 --a '[2001:db8::1]:4000' --b '[2001:db8::2]:80'
captured "with losses" --loss 10 --bytes 100000 --seed 3
captured "simultaneous open and close" --simultaneous-open --simultaneous-close
captured refused --refuse
echo "1..$cases"
[ "$failures" -eq 0 ]
