#!/usr/bin/env bash
#
# capture.sh - What tcpdump sees at the TUN device is what our own capture says, packet for packet.
#
#     stack -- emulator (loss, delay, overtaking, doubling) -- our pcapng -- TUN -- tcpdump -- Linux
#
# Without offload every byte of every packet is compared. With it Linux shows checksums that are not
# complete yet, so the fields are compared instead. tshark must find nothing malformed and no bad
# checksum: RFC 9293 3.1 and RFC 1071 as others read them.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
interop_begin tcpdump tshark curl nginx

site=$work/site
emulated=(--loss 1 --delay 5 --reorder 1 --duplicate 1)
# It is about IP and TCP: pieces of the file are no HTTP of their own.
checks=(-o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE -o tcp.desegment_tcp_streams:FALSE
    --disable-protocol http)
fields=()
for field in ip.src ipv6.src ip.id ip.ttl ipv6.hlim ipv6.flow tcp.srcport tcp.dstport tcp.seq_raw \
    tcp.ack_raw tcp.flags tcp.window_size_value tcp.options tcp.len; do
    fields+=(-e "$field")
done

read_capture() { # FILE TSHARK'S ARGUMENTS...
    local file=$1
    shift
    tshark -n -r "$file" "${checks[@]}" "$@" 2>"$work/tshark.err"
}

# One line a packet; first those to us, then those from us: each direction keeps its order. What
# Linux still sends to a host that has gone is left out.
describe() { # FILE WAY
    local which="tcp && frame.time_epoch <= $end" what=("${fields[@]}")
    [ "$2" = --no-offload ] &&
        what=(-o frame.generate_md5_hash:TRUE -e frame.md5_hash "${fields[@]}")
    read_capture "$1" -Y "$which && (ip.src == $kernel4 || ipv6.src == $kernel6)" \
        -T fields "${what[@]}"
    echo "--"
    read_capture "$1" -Y "$which && (ip.src == $ours4 || ipv6.src == $ours6)" \
        -T fields "${what[@]}"
}

start_tcpdump() {
    rm -f "$work/theirs" "$work/tcpdump.err"
    "${inside[@]}" tcpdump -i "$device" -Z root -s 0 -B 65536 -w "$work/theirs" \
        2>"$work/tcpdump.err" &
    tcpdump=$!
    started+=("$tcpdump")
    wait_for 10 grep -q '^tcpdump: listening\|, link-type' "$work/tcpdump.err" ||
        note "tcpdump: $(<"$work/tcpdump.err")"
}

# Linux hands packets over in blocks, a second late at most.
stop_tcpdump() {
    sleep 1.5
    kill -INT "$tcpdump"
    wait "$tcpdump"
}

bad_packets() { # FILE FILTER
    read_capture "$1" -Y "$2" -T fields -e frame.number -e tcp.seq_raw -e tcp.len \
        -e tcp.checksum -e tcp.checksum.status -e ip.checksum.status -e _ws.expert.message | head
}

# Where a sum comes to zero Linux sometimes writes 0xffff, the other zero, which verifies as well but
# which tshark calls bad (RFC 1624 3). From Linux that is none of our business; from us it would be.
linux_zero="(tcp.checksum == 0xffff && (ip.src == $kernel4 || ipv6.src == $kernel6))"

judge() { # NAME WAY
    local damage="_ws.malformed || ip.checksum.status == \"Bad\" ||
        (tcp.checksum.status == \"Bad\" && !$linux_zero)"
    check_equal "$1: tcpdump missed nothing" 0 \
        "$(sed -n 's/^\([0-9]*\) packets\? dropped by kernel$/\1/p' "$work/tcpdump.err")"
    describe "$work/ours" "$2" >"$work/ours.text"
    describe "$work/theirs" "$2" >"$work/theirs.text"
    note "$1: $(wc -l <"$work/ours.text") packets"
    check "$1: the captures agree packet for packet" \
        diff -U 1 "$work/theirs.text" "$work/ours.text"
    check "$1: the capture has what was sent" test "$(wc -l <"$work/ours.text")" -gt 100
    check_equal "$1: no bad packet in our capture" "" "$(bad_packets "$work/ours" "$damage")"
    [ "$2" = --no-offload ] || damage=_ws.malformed
    check_equal "$1: no bad packet in tcpdump's capture" "" \
        "$(bad_packets "$work/theirs" "$damage")"
}

serve_captured() { # WAY
    local name="serve ${1:-with offload}" url
    start_serve "$site" "${emulated[@]}" --pcap "$work/ours" ${1:+"$1"}
    start_tcpdump
    for url in "${urls_of_ours[@]}"; do
        check_equal "$name: $url/file arrives whole" "$sum" \
            "$(timeout 100 "${inside[@]}" curl -s --globoff "$url/file" | sha256sum |
                cut -d ' ' -f 1)"
    done
    stop_tcpdump
    end=$(date +%s.%N)
    stop_serve "$name"
    judge "$name" "$1"
}

get_captured() { # WAY URL
    local name="get ${1:-with offload} $2" status
    # The device is there before `sanwo get` is, so that tcpdump can see it all.
    ip -n "$netns" tuntap add "$device" mode tun
    ip -n "$netns" link set "$device" up
    start_tcpdump
    timeout 100 "$SANWO" get "${link[@]}" "${emulated[@]}" ${1:+"$1"} --pcap "$work/ours" --quiet \
        -o "$work/file" "$2/file" 2>"$work/get.err"
    status=$?
    end=$(date +%s.%N)
    check_equal "$name: ends well" 0 $status || note "$(<"$work/get.err")"
    check_equal "$name: the file arrives whole" "$sum" "$(sum_of "$work/file")"
    stop_tcpdump
    ip -n "$netns" link del "$device"
    judge "$name" "$1"
}

mkdir "$site"
make_file "$site/file" $((1 << 20))
sum=$(sum_of "$site/file")
end=0
urls_of_ours=("http://$ours4")
urls_of_kernel=("http://$kernel4:8080")
if has_ipv6; then
    urls_of_ours+=("http://[$ours6]")
    urls_of_kernel+=("http://[$kernel6]:8080")
fi
start_nginx "$site"
for way in "" --no-offload; do
    serve_captured "$way"
done
for way in "" --no-offload; do
    for url in "${urls_of_kernel[@]}"; do
        get_captured "$way" "$url"
    done
done
interop_end
