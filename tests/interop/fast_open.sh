#!/usr/bin/env bash
#
# fast_open.sh - Linux's TCP as a Fast Open client of `sanwo serve` (RFC 7413).
#
#     the first connection gets the cookie, the others have their request taken with the SYN; none has
#     where the server was not told to
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
interop_begin python3

site=$work/site
mkdir "$site"
make_file "$site/small" 5000
"${inside[@]}" sh -c 'echo 1 >/proc/sys/net/ipv4/tcp_fastopen' 2>"$work/error" ||
    skip_all "the kernel has no Fast Open: $(<"$work/error")"

taken() { # ADDRESS COUNT
    "${inside[@]}" timeout 60 python3 "$here/fast_open.py" "$1" 80 /small "$2" 2>&1
}

start_serve "$site" --fast-open
check_equal "IPv4: taken with all SYNs but the first" 4 "$(taken "$ours4" 5)"
has_ipv6 && check_equal "IPv6: taken with all SYNs but the first" 4 "$(taken "$ours6" 5)"
stop_serve "--fast-open"

# The kernel still has a cookie: the text goes along in vain, once, and is sent again at once.
start_serve "$site"
check_equal "without --fast-open: none is taken, and all is answered" 0 "$(taken "$ours4" 3)"
stop_serve "without --fast-open"

start_serve "$site" --fast-open
check_equal "another key: the old cookie is refused, the new one taken" 2 "$(taken "$ours4" 3)"
stop_serve "another key"

interop_end
