# lib.sh - What the interop scripts share; for sourcing, with bash.
#
#     our TCP ($SANWO)  --  TUN device $device  --  Linux's TCP, in a network namespace
#     10.231.7.1, fd31:7::1                         10.231.7.2, fd31:7::2
#
# A script calls `interop_begin COMMAND...` with the commands it needs beyond the usual ones, makes
# checks, and ends with `interop_end`. Cases are printed as TAP. Where there is no root, no TUN
# device or no such command the script is skipped: exit status 77. All that was started or made is
# ended and removed by the trap. With SANWO_QUICK set, transfers and pauses are short.

# shellcheck shell=bash disable=SC2034
set -u
export LC_ALL=C
# The administration commands are not on every user's path.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

SANWO=${SANWO:?set it to the sanwo command to test}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
quick=${SANWO_QUICK:+yes}
ours4=10.231.7.1 kernel4=10.231.7.2
ours6=fd31:7::1 kernel6=fd31:7::2
cases=0 failures=0
work="" netns="" device="" nginx=""
started=()

# ---- TAP -----------------------------------------------------------------------------------------

note() {
    sed 's/^/# /' <<<"$*"
}

skip_all() {
    echo "1..0 # skip $1"
    exit 77
}

skip() { # NAME REASON
    cases=$((cases + 1))
    echo "ok $cases - $1 # skip $2"
}

# The command's output is shown when it fails.
check() { # NAME COMMAND...
    local name=$1 output
    shift
    cases=$((cases + 1))
    if output=$("$@" 2>&1); then
        echo "ok $cases - $name"
        return 0
    fi
    failures=$((failures + 1))
    echo "not ok $cases - $name"
    note "failed: $*" | cut -c 1-300
    [ -z "$output" ] || tail -n 30 <<<"$output" | sed 's/^/#   /'
    return 1
}

check_equal() { # NAME EXPECTED GOT
    if [ "$2" = "$3" ]; then
        check "$1" true
    else
        check "$1" show_and_fail "expected: $2
     got: $3"
    fi
}

show_and_fail() {
    printf '%s\n' "$*"
    return 1
}

# ---- beginning and end ---------------------------------------------------------------------------

interop_begin() { # COMMANDS NEEDED...
    local needed

    [ "$(id -u)" -eq 0 ] || skip_all "needs root, for network namespaces and TUN devices"
    [ -c /dev/net/tun ] || skip_all "there is no /dev/net/tun"
    for needed in ip sha256sum timeout "$@"; do
        command -v "$needed" >/dev/null || skip_all "$needed is not installed"
    done
    work=$(mktemp -d "${TMPDIR:-/tmp}/sanwo-interop.XXXXXX") || exit 1
    trap interop_clean EXIT
    trap 'exit 130' INT TERM HUP
    netns=sanwo-interop-$$
    device=swi$$
    if ! ip netns add "$netns" 2>"$work/error"; then
        netns=
        skip_all "cannot make a network namespace: $(<"$work/error")"
    fi
    # In a bare chroot, whose root is no mount point, a namespace can be made but not entered.
    ip netns exec "$netns" true 2>"$work/error" ||
        skip_all "cannot run anything in a network namespace: $(<"$work/error")"
    ip -n "$netns" link set lo up
    # Prefix for what is to run beside the kernel's end.
    inside=(ip netns exec "$netns")
    link=(--netns "$netns" --tun "$device" --addr "$ours4/24" --peer "$kernel4"
        --addr "$ours6/64" --peer "$kernel6")
    # A namespace takes its settings from the first one: no error of ours shall come from those.
    "${inside[@]}" sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward
        echo 0 >/proc/sys/net/ipv6/conf/all/forwarding' 2>"$work/error"
}

interop_end() {
    echo "1..$cases"
    [ "$failures" -eq 0 ]
    exit
}

interop_clean() {
    local pid

    trap - EXIT
    # nginx's master ends its workers.
    [ -z "$nginx" ] || kill -TERM "$nginx" 2>/dev/null && wait "$nginx" 2>/dev/null
    for pid in "${started[@]}"; do
        kill -CONT "$pid" 2>/dev/null
        kill -KILL "$pid" 2>/dev/null
    done
    wait 2>/dev/null
    [ -z "$netns" ] || ip netns del "$netns"
    [ -z "$work" ] || rm -rf "$work"
}

has_ipv6() {
    [ -e /proc/net/if_inet6 ]
}

# Whether COMMAND succeeds within SECONDS.
wait_for() { # SECONDS COMMAND...
    local tries=$(($1 * 20))
    shift
    until "$@" >"$work/wait_for" 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        sleep 0.05
    done
}

is_gone() { # PID (of a child: a zombie is gone as well)
    local state
    state=$(ps -o state= -p "$1")
    [ -z "$state" ] || [ "$state" = Z ]
}

now_ms() {
    date +%s%3N
}

# "12.3 MB/s" from bytes and milliseconds.
rate() { # BYTES MILLISECONDS
    awk -v b="$1" -v ms="$2" 'BEGIN { printf "%.1f MB/s", b / 1000 / (ms > 0 ? ms : 1) }'
}

# ---- files ---------------------------------------------------------------------------------------

# Bytes without pattern, the same each time.
make_file() { # PATH BYTES
    if command -v openssl >/dev/null; then
        openssl enc -aes-128-ctr -K 53616e776f53616e776f53616e776f21 -iv 00 </dev/zero \
            2>"$work/error" | head -c "$2" >"$1"
    else
        head -c "$2" /dev/urandom >"$1"
    fi
}

# 1 GiB, unless told to be quick or the disk is short of room.
big_size() {
    local room
    room=$(df --output=avail -k "$work" | tail -n 1)
    if [ "$quick" ]; then
        echo $((64 << 20))
    elif [ "$room" -lt $((3 << 20)) ]; then
        echo $((128 << 20))
    else
        echo $((1 << 30))
    fi
}

sum_of() { # PATH
    sha256sum <"$1" | cut -d ' ' -f 1
}

# ---- our server ----------------------------------------------------------------------------------

start_serve() { # FOLDER [OPTIONS...]
    local folder=$1
    shift
    # Stale lines of an earlier server must not say that this one is ready.
    : >"$work/serve.out"
    "$SANWO" serve "$folder" "${link[@]}" "$@" >"$work/serve.out" 2>"$work/serve.err" &
    serve=$!
    started+=("$serve")
    if ! wait_for 10 grep -q '^serving' "$work/serve.out"; then
        check "sanwo serve starts" show_and_fail "$(<"$work/serve.err")"
        interop_end
    fi
}

# Ends it as a user does: its exit status must be 0, and no sanitizer may have complained.
stop_serve() { # NAME
    local status
    kill -INT "$serve" 2>"$work/error"
    wait_for 15 is_gone "$serve" || kill -KILL "$serve"
    wait "$serve"
    status=$?
    check_equal "$1: interrupted, the server closes cleanly" 0 "$status" ||
        note "$(tail -n 20 "$work/serve.err")"
    check "$1: the server complained of nothing" no_complaints "$work/serve.err"
}

no_complaints() { # FILE OF STANDARD ERROR
    ! grep -E -A 20 'Sanitizer|runtime error|assert' "$1"
}

# ---- Linux's server ------------------------------------------------------------------------------

# nginx with a configuration of its own, on port 8080 of every address.
start_nginx() { # FOLDER [LOCATIONS]
    mkdir "$work/nginx"
    cat >"$work/nginx.conf" <<END
user root;
worker_processes 1;
daemon off;
pid $work/nginx/pid;
error_log $work/nginx/error.log;
events { worker_connections 512; }
http {
    access_log off;
    sendfile on;
    send_timeout 600s; # whether a stopped client recovers is for TCP to say
    client_body_temp_path $work/nginx/body;
    proxy_temp_path $work/nginx/proxy;
    fastcgi_temp_path $work/nginx/fastcgi;
    uwsgi_temp_path $work/nginx/uwsgi;
    scgi_temp_path $work/nginx/scgi;
    absolute_redirect off;
    server {
        listen 8080;
        $(has_ipv6 && echo 'listen [::]:8080;')
        root $1;
        ${2:-}
    }
}
END
    "${inside[@]}" nginx -c "$work/nginx.conf" >"$work/nginx.out" 2>&1 &
    nginx=$!
    started+=("$nginx")
    if ! wait_for 10 test -s "$work/nginx/pid"; then
        check "nginx starts" show_and_fail "$(cat "$work/nginx.out" "$work/nginx/error.log")"
        interop_end
    fi
}
