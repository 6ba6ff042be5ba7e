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
from accepted import MSS, SACK, accepted, number, sent, write
from states import MASK, Writer

OPEN = ("`sysctl -w net.ipv4.tcp_congestion_control=reno net.ipv4.tcp_early_retrans=0`\n"
        + accepted(syn_options=SACK) + "\n" + write(4 * MSS)
        + "".join(sent("+0", number(i), flags="P." if i == 3 else ".") for i in range(4)) + "\n")
UNA = number(0)
NXT = number(4)
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


def holes(left, right):
    """What goes when all below the block is found lost."""
    at_once = right - left >= AT_ONCE
    text, when = "", "+0" if at_once else "+.025"
    in_flight, first = NXT - right, UNA
    room = SSTHRESH if at_once else in_flight + MSS
    while first < left:
        length = min(MSS, left - first)
        if text and in_flight + length > room:
            break
        text += sent(when, first, length)
        in_flight, first, when = in_flight + length, first + MSS, "+0"
    return text


def expected(left, right):
    if not counts(left, right):
        return sent("+.2", UNA)
    return holes(left, right)


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
