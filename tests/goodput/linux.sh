#!/usr/bin/env bash
#
# linux.sh - Every pair of ends fills a slow path in real time: the bench beside Linux works.
#
# A threshold far below what is measured otherwise: other tests run at the same time.
set -u
: "${SANWO:?set it to the sanwo command}"
failures=0 cases=0

skip_all() {
    echo "1..0 # skip $1"
    exit 77
}

[ "$(id -u)" -eq 0 ] || skip_all "needs root, for network namespaces and TUN devices"
[ -c /dev/net/tun ] || skip_all "there is no /dev/net/tun"
unshare --net true 2>/dev/null || skip_all "cannot make a network namespace"

for ends in linux ours-linux linux-ours mixed; do
    cases=$((cases + 1))
    output=$("$SANWO" bench goodput --json ends=$ends rate=5 rtt=10 flows=2 warm=0.3 measure=1.5 \
        short=0 long=0 2>&1)
    status=$?
    fill=$(sed -n 's/.*"fill":\([0-9.]*\).*/\1/p' <<<"$output")
    if [ $status -eq 0 ] && awk "BEGIN { exit !(${fill:-0} > 0.5 && ${fill:-0} < 1.1) }"; then
        echo "ok $cases - $ends fills $fill"
    else
        failures=$((failures + 1))
        echo "not ok $cases - $ends"
        sed 's/^/# /' <<<"$output"
    fi
done
echo "1..$cases"
[ $failures -eq 0 ]
