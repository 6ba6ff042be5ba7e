#!/usr/bin/env bash
#
# get.sh - nginx and some rude servers on Linux's TCP, `sanwo get` as their client.
#
#     a big file over IPv4 and IPv6; chunks, redirects, HEAD, resumption; each exit status
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
interop_begin nginx python3

site=$work/site
url4=http://$kernel4:8080 url6="http://[$kernel6]:8080"
rude4=http://$kernel4:8081
mkdir "$site"

start_rude() {
    "${inside[@]}" python3 "$here/peer.py" rude 0.0.0.0 8081 2>"$work/rude.err" &
    started+=("$!")
    wait_for 5 is_listening 8081 || note "no rude server: $(<"$work/rude.err")"
}

is_listening() { # PORT
    [ -n "$("${inside[@]}" ss -Htln "sport = :$1")" ]
}

get() { # OPTIONS AND URL...
    timeout 200 "$SANWO" get "${link[@]}" --quiet "$@" 2>"$work/get.err"
}

whole_file() { # NAME URL
    local before sum
    before=$(now_ms)
    sum=$(get "$2/big" | sha256sum | cut -d ' ' -f 1)
    note "$1: $size bytes at $(rate "$size" $(($(now_ms) - before))), SHA-256 included"
    check_equal "$1: a file of $((size >> 20)) MiB arrives whole" "$big_sum" "$sum" ||
        note "$(<"$work/get.err")"
}

small_file() { # NAME URL
    rm -f "$work/file"
    check "$1: ends well" get -o "$work/file" "$2" || note "$(<"$work/get.err")"
    check_equal "$1: the bytes are right" "$small_sum" "$(sum_of "$work/file")"
}

resumption() {
    head -c 1234567 "$site/small" >"$work/file"
    check "--resume goes on with a partial file" get -o "$work/file" --resume "$url4/small"
    check_equal "--resume: the bytes are right" "$small_sum" "$(sum_of "$work/file")"
    check "--resume of a complete file is content" get -o "$work/file" --resume "$url4/small"
    check_equal "--resume: the file is as it was" "$small_sum" "$(sum_of "$work/file")"
}

# The kernel's count of connections that ended by RST.
resets() {
    "${inside[@]}" awk '$1 == "Tcp:" && !n { for (n = 2; $n != "EstabResets"; n++); next }
        $1 == "Tcp:" { print $n }' /proc/net/snmp
}

closes_in_order() {
    local before
    before=$(resets)
    get -o "$work/file" "$url4/small"
    get -o "$work/file" "$url4/moved"
    check_equal "a connection that served ends by FIN, not by RST" 0 $(($(resets) - before))
}

# STATUS NAME OPTIONS AND URL...
fails_with() {
    local expected=$1 name=$2 before took status
    shift 2
    before=$(now_ms)
    get "$@" >"$work/get.out"
    status=$?
    took=$(($(now_ms) - before))
    check_equal "$name: exit status $expected" "$expected" "$status"
    check_equal "$name: one line says why" 1 "$(grep -c '^sanwo get: .' "$work/get.err")"
    check "$name: no complaint" no_complaints "$work/get.err"
    note "after $took ms: $(<"$work/get.err")"
}

exit_statuses() {
    RES_OPTIONS='timeout:1 attempts:1' fails_with 6 "a name without address" \
        http://no-such-name.invalid/
    fails_with 7 "nobody listens" "http://$kernel4:81/"
    # Linux forwards nothing here: what is for another host is lost without a word.
    fails_with 28 "nobody answers" --connect-timeout 2 http://10.231.8.1/
    "${inside[@]}" ip route add blackhole 10.231.9.0/24
    fails_with 28 "nobody answers in time" --max-time 2 http://10.231.9.1/
    "${inside[@]}" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
    "${inside[@]}" ip route add unreachable 10.231.10.0/24
    fails_with 7 "ICMP says unreachable" --connect-timeout 2 http://10.231.10.1/
    fails_with 22 "nginx says 404" "$url4/missing"
    fails_with 22 "nginx says 503" "$url4/broken"
    fails_with 8 "redirected in a circle" "$url4/around"
    fails_with 8 "the body ends early" "$rude4/short"
    fails_with 8 "the body ends inside a chunk" "$rude4/chunk-short"
    fails_with 8 "the server is for mail" "$rude4/nonsense"
    fails_with 56 "the server resets the connection" "$rude4/reset"
    fails_with 28 "the server says nothing" --max-time 1 "$rude4/never"
    fails_with 28 "the server is too slow" --max-time 1 "$rude4/trickle"
    fails_with 5 "the output is full" -o /dev/full "$url4/small"
    fails_with 2 "the URL is none" "gopher://$kernel4/"
}

size=$(big_size)
make_file "$site/big" "$size"
head -c $((3 << 20)) "$site/big" >"$site/small"
: >"$site/empty"
big_sum=$(sum_of "$site/big")
small_sum=$(sum_of "$site/small")
start_nginx "$site" "
    location /chunked/ { alias $site/; ssi on; ssi_types *; } # its length is not known
    location /moved { return 301 /small; }
    location /elsewhere { return 302 http://$kernel4:8080/small; }
    location /around { return 302 /around; }
    location /broken { return 503; }"
start_rude

whole_file IPv4 "$url4"
if has_ipv6; then
    whole_file IPv6 "$url6"
    small_file "IPv6, chunked" "$url6/chunked/small"
fi
small_file "chunked" "$url4/chunked/small"
get --verbose -o "$work/file" "$url4/chunked/small"
check "it was chunked" grep -qi 'transfer-encoding: chunked' "$work/get.err"
small_file "redirected" "$url4/moved"
small_file "redirected by a full URL" "$url4/elsewhere"
check "an empty file" get -o "$work/file" "$url4/empty"
check_equal "an empty file: nothing in it" 0 "$(wc -c <"$work/file")"
check "HEAD prints the status" grep -q '^HTTP/1.1 200' <(get --head "$url4/big")
check "HEAD tells the length" grep -qi "^content-length: $size" <(get --head "$url4/big")
check "a body that ends with the connection" get -o "$work/file" "$rude4/to-end"
check_equal "a body that ends with the connection: its length" 10000 "$(wc -c <"$work/file")"
resumption
closes_in_order
exit_statuses
interop_end
