#!/usr/bin/env python3
"""SACK blocks with every pair of edges, right or absurd (RFC 2018 3): row RFC2018-3-1; B-04, B-22.

Four segments of 1000 bytes are in flight, from UNA = 1 to NXT = 4001; one ACK reports one block.
The rules:

    a block counts if UNA < left < right =< NXT, modulo 2^32: else nothing happens before the RTO
    three segments' worth of it: what lies below is lost at once (RFC 8985 6.2 step 4)
    less: after a quarter of the round trip (100 ms), since nothing was ever reordered
    ssthresh is then two segments (RFC 5681 3.1 (4)); the first hole goes in any case, the next ones
        as far as there is room up to ssthresh, but no more than the ACK reported (RFC 6937 3):
        after the wait that is none; what lies above the block is still in flight
"""
from states import MASK, Writer

OPEN = """`sysctl -w net.ipv4.tcp_congestion_control=reno net.ipv4.tcp_early_retrans=0`
0     socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0    bind(3, ..., ...) = 0
+0    listen(3, 1) = 0
+0    < S 0:0(0) win 65535 <mss 1000,sackOK,nop,nop>
+0    > S. 0:0(0) ack 1 <...>
+.1   < . 1:1(0) ack 1 win 65535
+0    accept(3, ..., ...) = 4

+0    write(4, ..., 4000) = 4000
+0    > . 1:1001(1000) ack 1
+0    > . 1001:2001(1000) ack 1
+0    > . 2001:3001(1000) ack 1
+0    > P. 3001:4001(1000) ack 1

"""
MSS = 1000
UNA = 1
NXT = 4001
SSTHRESH = 2 * MSS
AT_ONCE = 3 * MSS
HALF = 2**31

EDGES = {
    "una": UNA, "una+1": UNA + 1, "una-1": UNA - 1, "first-end": UNA + MSS, "middle": 2501,
    "nxt-1": NXT - 1, "nxt": NXT, "nxt+1": NXT + 1,
    "una+half-1": UNA + HALF - 1, "una+half": UNA + HALF, "una+half+1": UNA + HALF + 1,
    "nxt+half-1": NXT + HALF - 1, "nxt+half": NXT + HALF, "nxt+half+1": NXT + HALF + 1,
}


def counts(left, right):
    left, right = (left - UNA) & MASK, (right - UNA) & MASK
    return 0 < left < right <= NXT - UNA


def again(first, end):
    return f"> . {first}:{end}({end - first}) ack 1\n"


def holes(left, right):
    """What goes when all below the block is found lost."""
    at_once = right - left >= AT_ONCE
    lines, in_flight, first = [], NXT - right, UNA
    room = SSTHRESH if at_once else in_flight + MSS
    while first < left:
        end = min(first + MSS, left)
        if lines and in_flight + end - first > room:
            break
        lines.append(again(first, end))
        in_flight += end - first
        first += MSS
    return lines


def expected(left, right):
    if not counts(left, right):
        return "+.2   " + again(UNA, UNA + MSS)
    wait = "+0    " if right - left >= AT_ONCE else "+.025 "
    return wait + "+0    ".join(holes(left, right))


def main():
    out = Writer("sack_edges")
    for left_name, left in EDGES.items():
        for right_name, right in EDGES.items():
            verdict = "counts" if counts(left, right) else "is ignored"
            out.write(f"{left_name}-to-{right_name}",
                      f"The block from {left_name} to {right_name} {verdict}.\n"
                      "RFC 2018 3: RFC2018-3-1, B-04, B-22",
                      OPEN + "+.1   < . 1:1(0) ack 1 win 65535 "
                      f"<sack {left & MASK}:{right & MASK},nop,nop>\n"
                      + expected(left, right) + "+.05  < . 1:1(0) ack 4001 win 65535\n")
    out.done()


if __name__ == "__main__":
    main()
