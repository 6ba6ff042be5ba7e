#!/usr/bin/env bash
#
# serve.sh - Linux's curl and wrk as the clients of `sanwo serve`.
#
#     a big file over IPv4 and IPv6; 200 at once; ranges, resumption, HEAD, conditions; who closes
#     first (told by who keeps TIME-WAIT: RFC 9293 3.6.1); what is refused; a load
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
interop_begin curl wrk ss

site=$work/site
url4=http://$ours4 url6="http://[$ours6]"
mkdir "$site"

fetch() { # CURL'S ARGUMENTS...
    timeout 200 "${inside[@]}" curl --silent --show-error --globoff --max-time 180 "$@"
}

status_of() { # CURL'S ARGUMENTS...
    fetch --output "$work/body" --write-out '%{http_code}' "$@"
}

whole_file() { # NAME URL
    local before sum
    before=$(now_ms)
    sum=$(fetch "$2/big" | sha256sum | cut -d ' ' -f 1)
    note "$1: $size bytes at $(rate "$size" $(($(now_ms) - before))), SHA-256 included"
    check_equal "$1: a file of $((size >> 20)) MiB arrives whole" "$big_sum" "$sum"
}

in_parallel() { # COUNT
    local i url pids=() failed=0
    for ((i = 0; i < $1; i++)); do
        url=$url4
        [ $((i % 2)) = 0 ] || ! has_ipv6 || url=$url6
        fetch --output "$work/part.$i" "$url/small" 2>>"$work/parallel.err" &
        pids+=($!)
    done
    for i in "${pids[@]}"; do
        wait "$i" || failed=$((failed + 1))
    done
    check_equal "$1 clients at once: none fails" 0 "$failed" || note "$(tail "$work/parallel.err")"
    check_equal "$1 clients at once: each gets the same bytes" "$1" \
        "$(sha256sum "$work"/part.* | grep -c "^$small_sum")"
    rm -f "$work"/part.*
}

head_request() { # FAMILY URL
    fetch --head --output "$work/head" "$2/big"
    check "$1: HEAD tells the length" grep -qi "^content-length: $size" "$work/head"
    check "$1: HEAD has status 200" grep -q '^HTTP/1.1 200' "$work/head"
}

ranges() { # FAMILY URL
    local got
    fetch --range 1000000-1999999 --output "$work/range" "$2/small"
    got=$(sum_of "$work/range")
    check_equal "$1: a range from the middle" \
        "$(tail -c +1000001 "$site/small" | head -c 1000000 | sha256sum | cut -d ' ' -f 1)" "$got"
    fetch --range -12345 --output "$work/range" "$2/small"
    check_equal "$1: the last 12345 bytes" \
        "$(tail -c 12345 "$site/small" | sha256sum | cut -d ' ' -f 1)" "$(sum_of "$work/range")"
    check_equal "$1: a range has status 206" 206 "$(status_of --range 5-9 "$2/small")"
    check_equal "$1: a range beyond the end has status 416" 416 \
        "$(status_of --range 99999999999- "$2/small")"
    check_equal "$1: several ranges are one multipart answer" multipart/byteranges \
        "$(fetch --range 0-9,100-199 --output "$work/body" --write-out '%{content_type}' \
            "$2/small" | cut -d ';' -f 1)"
}

resumption() {
    head -c 1234567 "$site/small" >"$work/partial"
    fetch --continue-at - --output "$work/partial" "$url4/small"
    check_equal "curl -C - completes a partial file" "$small_sum" "$(sum_of "$work/partial")"
}

conditions() {
    local etag date
    fetch --head --output "$work/head" "$url4/small"
    etag=$(tr -d '\r' <"$work/head" | sed -n 's/^[Ee][Tt]ag: //p')
    date=$(tr -d '\r' <"$work/head" | sed -n 's/^[Ll]ast-[Mm]odified: //p')
    check_equal "If-None-Match with its ETag: 304" 304 \
        "$(status_of --header "If-None-Match: $etag" "$url4/small")"
    check_equal "If-Modified-Since its date: 304" 304 \
        "$(status_of --header "If-Modified-Since: $date" "$url4/small")"
    check_equal "If-Match with another ETag: 412" 412 \
        "$(status_of --header 'If-Match: "other"' "$url4/small")"
}

# One keep-alive connection for three files.
keeps_alive() {
    local got
    got=$(fetch --output "$work/1" "$url4/empty" --output "$work/2" "$url4/small" \
        --output "$work/3" "$url4/" --write-out '%{num_connects} ')
    check_equal "three files over one connection" "1 0 0 " "$got"
    check_equal "an empty file is empty" 0 "$(wc -c <"$work/1")"
    check "the index page names the files" grep -q small "$work/3"
}

# Requests that come in one segment are answered in their order.
pipelined() {
    local i asked="" got
    for i in 3 1 2; do
        printf 'this is %s\n' $i >"$site/page$i"
        asked+="GET /page$i HTTP/1.1\r\nHost: x\r\n"
        [ $i = 2 ] && asked+="Connection: close\r\n"
        asked+="\r\n"
    done
    got=$(timeout 20 "${inside[@]}" bash -c \
        'exec 3<>/dev/tcp/$0/80; printf "$1" >&3; cat <&3' "$ours4" "$asked" | grep -a '^this is')
    check_equal "pipelined requests are answered in order" "this is 3
this is 1
this is 2" "$got"
}

time_waits() { # OF LINUX'S PORT
    "${inside[@]}" ss -Htan state time-wait "sport = :$1" | wc -l
}

port_is_gone() { # LINUX'S PORT
    [ -z "$("${inside[@]}" ss -Htan "sport = :$1")" ]
}

# Who closes first keeps TIME-WAIT.
closes_first() { # FAMILY URL
    local port=$((40000 + RANDOM % 10000))
    check_equal "$1: the client closes first: all arrives" 200 \
        "$(status_of --local-port $port "$2/small")"
    check_equal "$1: and the client's end is in TIME-WAIT" 1 "$(time_waits $port)"
    port=$((port + 1))
    check_equal "$1: the server closes first: all arrives" 200 \
        "$(status_of --local-port $port --header 'Connection: close' "$2/small")"
    check "$1: the server says that it closes" \
        grep -qi '^connection: close' <(fetch --include --header 'Connection: close' "$2/empty")
    check "$1: and the client's end has no TIME-WAIT" wait_for 2 port_is_gone $port
    printf 'GET /small HTTP/1.0\r\n\r\n' >"$work/http10"
    timeout 20 "${inside[@]}" bash -c 'exec 3<>/dev/tcp/$0/80; cat "$1" >&3; cat <&3' \
        "$3" "$work/http10" >"$work/body"
    check_equal "$1: HTTP/1.0 ends with the connection" "$small_sum" \
        "$(tail -c "$small_size" "$work/body" | sha256sum | cut -d ' ' -f 1)"
}

# NAME STATUS CURL'S ARGUMENTS...
refuses() {
    local name=$1 status=$2
    shift 2
    check_equal "$name: $status" "$status" "$(status_of "$@")"
}

refusals() {
    local long
    refuses "a file that is not there" 404 "$url4/missing"
    refuses "a method that is not known" 405 --request DELETE "$url4/small"
    refuses "a path out of the folder" 400 --path-as-is "$url4/../../etc/passwd"
    refuses "the same, escaped" 400 --path-as-is "$url4/%2e%2e/%2e%2e/etc/passwd"
    ln -s /etc/passwd "$site/link"
    refuses "a symbolic link out of the folder" 403 "$url4/link"
    check_equal "nothing of /etc/passwd was sent" "" "$(grep root: "$work/body")"
    long=$(head -c 30000 /dev/zero | tr '\0' x)
    refuses "a target of 30000 bytes" 414 "$url4/$long"
    refuses "a field of 30000 bytes" 431 --header "X-Long: $long" "$url4/small"
    check "what is no HTTP: 400" grep -q '^HTTP/1.1 400' <(timeout 20 "${inside[@]}" bash -c \
        'exec 3<>/dev/tcp/$0/80; printf "GET /small\r\nHow are you?\r\n\r\n" >&3; cat <&3' "$ours4")
}

load() { # FAMILY URL
    local seconds=30
    [ "$quick" ] && seconds=5
    timeout $((seconds + 30)) "${inside[@]}" wrk --threads 2 --connections 64 \
        --duration ${seconds}s --latency "$2/page" >"$work/wrk" 2>&1
    check_equal "$1: wrk ends well" 0 $?
    note "$1: wrk, 64 connections: $(grep Requests/sec "$work/wrk"), $(grep 99% "$work/wrk")"
    check_equal "$1: wrk meets no socket error and no status but 2xx" "" \
        "$(grep -E 'Socket errors|Non-2xx' "$work/wrk")"
    check "$1: wrk was answered" grep -Eq '^ +[1-9][0-9]* requests in' "$work/wrk"
}

size=$(big_size)
small_size=$((3 << 20))
make_file "$site/big" "$size"
head -c $small_size "$site/big" >"$site/small"
head -c 1000 "$site/big" >"$site/page"
: >"$site/empty"
big_sum=$(sum_of "$site/big")
small_sum=$(sum_of "$site/small")

families=(IPv4)
has_ipv6 && families+=(IPv6)
start_serve "$site"
for family in "${families[@]}"; do
    url=$url4 address=$ours4
    [ $family = IPv6 ] && url=$url6 address=$ours6
    whole_file $family "$url"
    head_request $family "$url"
    ranges $family "$url"
    closes_first $family "$url" "$address"
done
in_parallel 200
resumption
conditions
keeps_alive
pipelined
refusals
load IPv4 "$url4"
[ "$quick" ] || ! has_ipv6 || load IPv6 "$url6"
stop_serve serve
interop_end
