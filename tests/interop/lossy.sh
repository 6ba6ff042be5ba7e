#!/usr/bin/env bash
#
# lossy.sh - Transfers both ways over a link that loses, delays, reorders and duplicates packets.
#
#     each way: 1 % lost, 20 ms, 1 % overtaken, 1 % doubled (the emulator, between stack and device)
#
# With one loss in a hundred and a round trip of 40 ms, a sender of New Reno's kind moves about
# MSS * 0.87 / (RTT * sqrt(loss)) = 0.3 MB/s (Mathis, with delayed ACKs), so the file is chosen to
# end in time: 8 MiB, or 2 MiB if SANWO_QUICK is set; SANWO_LONG=1 moves 1 GiB, which takes long.
# Percentages count packets of the link's MTU where there is no offload; with it whole
# super-segments are lost.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
interop_begin curl nginx

site=$work/site
lossy=(--loss 1 --delay 20 --reorder 1 --duplicate 1 --no-offload)
lossy_offload=(--loss 1 --delay 20 --reorder 1 --duplicate 1)
size=$((8 << 20)) limit=300
[ "$quick" ] && size=$((2 << 20))
[ "${SANWO_LONG:-}" ] && size=$((1 << 30)) limit=7200
mkdir "$site"

# Prints the sum and the milliseconds.
timed_sum() { # COMMAND...
    local before sum
    before=$(now_ms)
    sum=$(timeout $limit "$@" 2>>"$work/transfers.err" | sha256sum | cut -d ' ' -f 1)
    echo "$sum $(($(now_ms) - before))"
}

judge() { # NAME FILE WITH SUM AND MILLISECONDS
    local got ms
    read -r got ms <"$2"
    note "$1: $size bytes in $ms ms: $(rate "$size" "$ms")"
    check_equal "$1: $((size >> 20)) MiB arrive whole" "$sum" "$got" ||
        note "$(tail "$work/transfers.err")"
}

# Both families at once: the emulator knows no rate that they would share.
serve_to_curl() { # NAME EMULATION...
    local name=$1 four six=""
    shift
    start_serve "$site" "$@" --seed 7
    timed_sum "${inside[@]}" curl --silent --show-error "http://$ours4/file" >"$work/four" &
    four=$!
    if has_ipv6; then
        timed_sum "${inside[@]}" curl --silent --show-error --globoff "http://[$ours6]/file" \
            >"$work/six" &
        six=$!
    fi
    wait $four $six
    judge "$name, IPv4" "$work/four"
    [ -z "$six" ] || judge "$name, IPv6" "$work/six"
    stop_serve "$name"
}

get_from_nginx() { # NAME EMULATION...
    local name=$1 four six=""
    shift
    timed_sum "$SANWO" get "${link[@]}" "$@" --seed 8 --quiet "http://$kernel4:8080/file" \
        >"$work/four" &
    four=$!
    if has_ipv6; then
        timed_sum "$SANWO" get --netns "$netns" --tun "${device}b" --addr fd31:8::1/64 "$@" \
            --seed 9 --quiet "http://[fd31:8::2]:8080/file" >"$work/six" &
        six=$!
    fi
    wait $four $six
    judge "$name, IPv4" "$work/four"
    [ -z "$six" ] || judge "$name, IPv6" "$work/six"
    check "$name: no complaint" no_complaints "$work/transfers.err"
}

use_file() { # BYTES
    size=$1
    make_file "$site/file" "$size"
    sum=$(sum_of "$site/file")
}

start_nginx "$site"
note "Linux's congestion control: $(<"/proc/sys/net/ipv4/tcp_congestion_control")"
use_file "$size"
serve_to_curl "serve" "${lossy[@]}"
get_from_nginx "get" "${lossy[@]}"
use_file $((2 << 20))
serve_to_curl "serve, offload" "${lossy_offload[@]}"
get_from_nginx "get, offload" "${lossy_offload[@]}"
interop_end
