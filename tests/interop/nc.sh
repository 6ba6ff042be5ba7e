#!/usr/bin/env bash
#
# nc.sh - `sanwo nc` and a program on Linux's TCP: either closes its half first, and the other half
# lives on (RFC 9293 3.6).
#
#     sanwo nc -l  <- python      sanwo nc -> python, listening
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
interop_begin python3 ss

peer=("${inside[@]}" timeout 30 python3 "$here/peer.py")

# Ours runs with standard input from a FIFO, whose end is file 5: nobody else may have that open.
start_nc() { # ARGUMENTS...
    rm -f "$work/in" "$work/out" "$work/nc.err"
    mkfifo "$work/in"
    "$SANWO" nc "${link[@]}" --verbose "$@" <"$work/in" >"$work/out" 2>"$work/nc.err" &
    nc=$!
    started+=("$nc")
    exec 5>"$work/in"
}

end_nc() { # NAME
    local status
    exec 5>&-
    wait_for 15 is_gone "$nc" || kill -KILL "$nc"
    wait "$nc"
    status=$?
    check_equal "$1: sanwo nc ends well" 0 $status || note "$(<"$work/nc.err")"
    check "$1: no complaint" no_complaints "$work/nc.err"
}

# Linux's half is closed at once; our answer goes after it.
peer_closes_first() { # FAMILY ADDRESS
    local name="$1: the peer's half closes first" talker
    start_nc -l -p 7
    "${peer[@]}" talk "$2" 7 "good morning" >"$work/heard" 2>"$work/peer.err" 5>&- &
    talker=$!
    started+=("$talker")
    check "$name: its words arrive" wait_for 10 grep -q "good morning" "$work/out"
    sleep 0.3
    check "$name: Linux is in FIN-WAIT-2" wait_for 5 linux_is fin-wait-2
    echo "good night" >&5
    end_nc "$name"
    wait "$talker"
    check_equal "$name: our answer arrives" "good night" "$(<"$work/heard")" ||
        note "$(<"$work/peer.err")"
}

linux_is() { # STATE
    [ -n "$("${inside[@]}" ss -Htn state "$1" "dport = :7 or sport = :7")" ]
}

# Our half is closed; Linux reads its end and only then speaks.
we_close_first() { # FAMILY ADDRESS
    local name="$1: our half closes first" talker
    start_nc -l -p 7
    "${peer[@]}" wait "$2" 7 "last words" >"$work/heard" 2>"$work/peer.err" 5>&- &
    talker=$!
    started+=("$talker")
    wait_for 10 grep -q connected "$work/nc.err"
    echo "first words" >&5
    end_nc "$name"
    wait "$talker"
    check_equal "$name: our words arrive" "first words" "$(<"$work/heard")" ||
        note "$(<"$work/peer.err")"
    check_equal "$name: the peer's words arrive after that" "last words" "$(<"$work/out")"
}

# We connect; Linux answers after the end of what we say.
we_connect() { # FAMILY ADDRESS
    local name="$1: we connect"
    "${peer[@]}" echo "$3" 7 2>"$work/peer.err" &
    started+=("$!")
    wait_for 10 linux_listens
    start_nc "$2" 7
    head -c 1000000 "$work/file" >&5
    end_nc "$name"
    check "$name: Linux got all and answered" cmp "$work/out" \
        <(printf 'got 1000000 bytes: '; head -c 100 "$work/file")
}

linux_listens() {
    [ -n "$("${inside[@]}" ss -Htln "sport = :7")" ]
}

# Both at once, much in each direction, through pipes.
both_ways() {
    local sum talker
    sum=$(sum_of "$work/file")
    "$SANWO" nc "${link[@]}" -l -p 7 <"$work/file" >"$work/out" 2>"$work/nc.err" &
    nc=$!
    started+=("$nc")
    timeout 100 "${inside[@]}" python3 "$here/peer.py" exchange "$ours4" 7 "$work/file" \
        >"$work/heard" 2>"$work/peer.err" &
    talker=$!
    started+=("$talker")
    end_nc "both ways"
    wait "$talker"
    check_equal "both ways: we got all" "$sum" "$(sum_of "$work/out")"
    check_equal "both ways: Linux got all" "$sum" "$(sum_of "$work/heard")"
}

refused() {
    timeout 20 "$SANWO" nc "${link[@]}" "$kernel4" 7 <"$work/file" >"$work/out" 2>"$work/nc.err"
    check_equal "nobody listens: exit status 7" 7 $?
    timeout 20 "$SANWO" nc "${link[@]}" -w 1 10.231.8.1 7 <"$work/file" >"$work/out" \
        2>"$work/nc.err"
    check_equal "nobody answers: exit status 28" 28 $?
}

make_file "$work/file" $((16 << 20))
peer_closes_first IPv4 "$ours4"
we_close_first IPv4 "$ours4"
we_connect IPv4 "$kernel4" 0.0.0.0
if has_ipv6; then
    peer_closes_first IPv6 "$ours6"
    we_close_first IPv6 "$ours6"
    we_connect IPv6 "$kernel6" ::
fi
both_ways
refused
interop_end
