#!/usr/bin/env bash
#
# idle.sh - `sanwo serve` with nothing to do does nothing: it sleeps until the stack's deadline.
#
# The time that the kernel has charged the process (utime and stime of proc(5)) and the times it was
# woken may not grow while a keep-alive connection is idle.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
interop_begin curl awk

seconds=10
[ "$quick" ] && seconds=5
mkdir "$work/site"
echo hello >"$work/site/page"

ticks() {
    # The name in parentheses may hold anything.
    sed 's/.*) //' "/proc/$serve/stat" | awk '{ print $12 + $13 }'
}

wakeups() {
    awk '$1 ~ /^voluntary/ { print $2 }' "/proc/$serve/status"
}

rest() { # NAME
    local ticks_before wakeups_before
    sleep 2
    ticks_before=$(ticks) wakeups_before=$(wakeups)
    sleep $seconds
    ticks_before=$(($(ticks) - ticks_before))
    wakeups_before=$(($(wakeups) - wakeups_before))
    note "$1: $ticks_before ticks and $wakeups_before wake-ups in $seconds s"
    check "$1: no processor time in $seconds s" test $ticks_before -le 1
    # The kernel asks for IPv6 routers and neighbours now and then.
    check "$1: woken ten times at most" test $wakeups_before -le 10
}

start_serve "$work/site"
rest "nothing ever came"
# Asks, and keeps the connection.
"${inside[@]}" bash -c 'exec 3<>/dev/tcp/$0/80; printf "GET /page HTTP/1.1\r\nHost: x\r\n\r\n" >&3
    sed /hello/q <&3; exec sleep 60' "$ours4" >"$work/answer" &
started+=("$!")
wait_for 10 grep -q hello "$work/answer"
rest "an idle connection"
check "the connection is still there" test -n \
    "$("${inside[@]}" ss -Htn state established "dport = :80")"
stop_serve idle
interop_end
