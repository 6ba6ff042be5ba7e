#!/usr/bin/env bash
#
# faults.sh - Either side is killed, the link goes down, a peer stops: recovery or a named error.
#
#     pause   60 s, or 8 s if SANWO_QUICK is set
#
#     A: serve -> curl     link down, then up      C: serve -> curl     curl stopped, then continued
#     B: get <- nginx      link down, then up      D: get <- nginx      get stopped, then continued
#
# A to D go on at the same time, each on a device of its own. Nothing tells a TCP that a link is up
# again but its own clock: after a pause it may wait as long as the pause was (RFC 6298 5.5), but no
# longer than its maximum RTO.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
interop_begin curl nginx ps awk
# A kernel whose receive buffers may grow to 32 MiB would have the whole file before the pause begins.
"${inside[@]}" bash -c 'echo 4096 131072 6291456 >/proc/sys/net/ipv4/tcp_rmem'

site=$work/site
pause=60
[ "$quick" ] && pause=8
size=$((24 << 20)) pace=$((4 << 20)) # six seconds
mkdir "$site"
make_file "$site/file" $size
head -c 1000000 "$site/file" >"$site/small"
sum=$(sum_of "$site/file")

# An instance by letter has a device and addresses of its own.
link_of() { # LETTER NUMBER
    link=(--netns "$netns" --tun "$device$1" --addr "10.231.$2.1/24" --addr "fd31:$2::1/64")
}

resident() { # PID; in KiB
    awk '$1 == "VmRSS:" { print $2 }' "/proc/$1/status"
}

# One of the figures that the server prints on SIGUSR1.
figure() { # NAME
    kill -USR1 "$serve"
    sleep 0.3
    sed -n "s/^sanwo serve: .*\\b$1 \\([0-9]*\\).*/\\1/p" "$work/serve.err" | tail -n 1
}

log_tells_trouble() { # HOW OFTEN
    [ "$(grep -c 'GET "/file" 200 .*: ' "$work/serve.out")" -ge "$1" ]
}

# ---- kill -9 -------------------------------------------------------------------------------------

all_victims_have_some() { # COUNT
    [ "$(find "$work" -maxdepth 1 -name 'victim.*' -size +0 | wc -l)" -eq "$1" ]
}

kill_clients() { # COUNT
    local i pids=()
    for ((i = 0; i < $1; i++)); do
        "${inside[@]}" curl -s --limit-rate $pace -o "$work/victim.$i" http://10.231.20.1/file &
        pids+=($!)
        started+=("$!")
    done
    wait_for 20 all_victims_have_some "$1"
    kill -KILL "${pids[@]}"
    wait "${pids[@]}" 2>"$work/error"
    rm -f "$work"/victim.*
}

clients_killed() {
    local before after round used
    link_of k 20
    start_serve "$site"
    kill_clients 1
    check "a killed curl: the server tells of it" wait_for 5 log_tells_trouble 1
    note "$(grep 'GET "/file"' "$work/serve.out" | head -n 1)"
    kill_clients 20
    check "twenty killed curls: the server tells of each" wait_for 5 log_tells_trouble 21
    check_equal "a killed curl: the server goes on serving" "$sum" \
        "$("${inside[@]}" curl -s --max-time 60 http://10.231.20.1/file | sha256sum |
            cut -d ' ' -f 1)"
    # Pools keep their pages for the next connections: those do not grow from round to round.
    before=$(resident "$serve")
    used=$(figure "memory used")
    for round in 1 2 3; do
        kill_clients 20
        wait_for 5 log_tells_trouble $((21 + 20 * round))
    done
    check_equal "killed clients leave no connection" 0 "$(figure connections)"
    note "the stack's memory after 21 kills: $used bytes, after 81: $(figure "memory used")"
    check "killed clients leave no memory in use" \
        test "$(figure "memory used")" -le $((used + 65536)) -a "$used" -lt $((1 << 20))
    after=$(resident "$serve")
    note "resident after 21 kills: $before KiB, after 81: $after KiB"
    # A sanitizer keeps what was freed, to find its use. Queues follow the path, so how much twenty clients
    # hold at their height, and with it the pages that were ever touched, differs from round to round;
    # the budget of the stack, 256 MiB, bounds them all.
    if grep -q __asan_init "$SANWO"; then
        skip "the process's memory stays within the stack's budget" "a sanitizer's build"
    else
        check "the process's memory stays within the stack's budget" test "$after" -lt $((288 * 1024))
    fi
    stop_serve "killed clients"
}

# The machine came back and knows nothing: it answers with RST (RFC 9293 3.5.1, half-open).
server_killed() {
    local curl status before
    link_of k 20
    rm -f "$work/victim"
    start_serve "$site"
    "${inside[@]}" curl -sS --limit-rate $pace --keepalive-time 1 --max-time 60 -o "$work/victim" \
        http://10.231.20.1/file 2>"$work/curl.err" &
    curl=$!
    started+=("$curl")
    wait_for 10 test -s "$work/victim"
    kill -KILL "$serve"
    wait "$serve" 2>"$work/error"
    before=$(now_ms)
    start_serve "$site"
    wait "$curl"
    status=$?
    note "a killed server: $(<"$work/curl.err"), $(($(now_ms) - before)) ms after its restart"
    check_equal "a killed server: once it is back, curl's connection is reset" 56 $status
    check_equal "a killed server: a new one serves" "$sum" \
        "$("${inside[@]}" curl -s --max-time 60 http://10.231.20.1/file | sha256sum |
            cut -d ' ' -f 1)"
    stop_serve "restarted server"
}

nginx_killed() {
    local get status before
    link_of n 21
    rm -f "$work/victim"
    "$SANWO" get "${link[@]}" -q -o "$work/victim" http://10.231.21.2:8080/slow/file \
        2>"$work/get.err" &
    get=$!
    started+=("$get")
    wait_for 10 test -s "$work/victim"
    # With its workers, in one go: the master would start others.
    kill -KILL "$nginx" $(ps -o pid= --ppid "$nginx")
    before=$(now_ms)
    wait_for 10 is_gone "$get"
    wait "$get"
    status=$?
    note "after $(($(now_ms) - before)) ms: $(<"$work/get.err")"
    check "a killed nginx: sanwo get says that the body ended early (8) or was reset (56)" \
        grep -qx '8\|56' <<<$status
    check_equal "a killed nginx: one line says why" 1 "$(grep -c '^sanwo get: .' "$work/get.err")"
    check "a killed nginx: what came is right" cmp -n "$(stat -c %s "$work/victim")" \
        "$work/victim" "$site/file"
    check "a killed nginx: no complaint" no_complaints "$work/get.err"
}

# ---- pauses --------------------------------------------------------------------------------------

start_curl() { # LETTER URL
    "${inside[@]}" curl -sS --globoff --limit-rate $pace --max-time $((pause * 2 + 150)) \
        -o "$work/$1" "$2" 2>"$work/$1.err" &
    pids[$1]=$!
    started+=("$!")
}

start_get() { # LETTER NUMBER
    link_of "$1" "$2"
    "$SANWO" get "${link[@]}" -q --max-time $((pause * 2 + 150)) -o "$work/$1" \
        "http://10.231.$2.2:8080/slow/file" 2>"$work/$1.err" &
    pids[$1]=$!
    started+=("$!")
}

judge() { # LETTER NAME
    local status
    wait "${pids[$1]}"
    status=$?
    check_equal "$2: ends well" 0 $status || note "$(<"$work/$1.err")"
    check_equal "$2: the file arrives whole" "$sum" "$(sum_of "$work/$1")"
    check "$2: no complaint" no_complaints "$work/$1.err"
}

# How long until more arrives.
resumed() { # LETTER SIZE BEFORE
    wait_for $((pause + 70)) grew_or_gone "$1" "$2"
    echo "$1 goes on, or has ended, $(($(now_ms) - restored)) ms after the pause"
}

grew_or_gone() { # LETTER SIZE BEFORE
    [ "$(stat -c %s "$work/$1")" -gt "$2" ] || is_gone "${pids[$1]}"
}

pauses() {
    local letter serve_a restored watchers=()
    declare -A pids before

    link_of a 11
    start_serve "$site"
    serve_a=$serve
    cp "$work/serve.out" "$work/serve_a.out"
    link_of c 13
    start_serve "$site"
    start_curl a http://10.231.11.1/file
    start_get b 12
    start_curl c http://10.231.13.1/file
    start_get d 14
    sleep 2
    ip -n "$netns" link set "${device}a" down
    ip -n "$netns" link set "${device}b" down
    kill -STOP "${pids[c]}" "${pids[d]}"
    # A slow curl first reads what Linux has received already.
    sleep $((pause / 2))
    for letter in a b c d; do
        before[$letter]=$(stat -c %s "$work/$letter")
    done
    sleep $((pause - pause / 2))
    for letter in a b c d; do
        check "$letter: nothing moved in the second half of ${pause} s" test \
            "$(stat -c %s "$work/$letter")" = "${before[$letter]}" \
            -a "${before[$letter]}" -gt 0 -a "${before[$letter]}" -lt $size
    done
    ip -n "$netns" link set "${device}a" up
    ip -n "$netns" link set "${device}b" up 2>"$work/error" # gone if get gave up
    kill -CONT "${pids[c]}" "${pids[d]}"
    restored=$(now_ms)
    for letter in a b c d; do
        resumed $letter "${before[$letter]}" >"$work/resumed.$letter" &
        watchers+=($!)
    done
    wait "${watchers[@]}"
    note "$(cat "$work"/resumed.?)"
    judge a "the link was down, serve"
    judge b "the link was down, get"
    judge c "curl was stopped"
    judge d "sanwo get was stopped"
    check_equal "after the pause the server has no connection left" 0 "$(figure connections)"
    stop_serve "stopped curl"
    serve=$serve_a
    stop_serve "link down"
}

clients_killed
server_killed
start_nginx "$site" "location /slow/ { alias $site/; limit_rate $pace; }"
pauses
nginx_killed
interop_end
