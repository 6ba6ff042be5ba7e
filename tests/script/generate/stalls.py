#!/usr/bin/env python3
"""Stalls: the acknowledgements of a flight come after the time-out (RFC 5682 2.1, 3.1): row
RFC5682-2-1.

F segments fill cwnd; the retransmission timer sends the first of them again. Then acknowledgements
of S segments each come, with SACK agreed on or not: all of them 50 ms later, sooner than any answer
to what was sent again could, or the first 150 ms later and the others 30 ms apart, which is more
than RACK waits for. The rules:

    the first covers all: nothing is known, ssthresh stays half of F, two segments at least, and
        slow start goes on from one segment, up to there
    else two new segments go, and none that counts as lost
    the second covers what was sent once: cwnd is F again, nothing else is sent again
    from there each lets cwnd grow by as much as it covers, and cwnd is filled
"""
from accepted import SACK, accepted, number, sent, write
from states import Writer

SETTINGS = """`sysctl -w net.ipv4.tcp_congestion_control=reno net.ipv4.tcp_early_retrans=0`
`sysctl net.inet.tcp.initcwnd_segments={flight}`
#ifdef PROFILE_FREEBSD
`sysctl net.inet.tcp.rexmit_slop=0`
#endif
"""
PACES = {"at-once": ("+.05", "+0"), "slowly": ("+.15", "+.03")}


class Wire:
    def __init__(self, flight, sack):
        self.text = SETTINGS.format(flight=flight) + accepted(syn_options=SACK if sack else "")
        self.text += "\n" + write(65000)
        self.una = self.nxt = 0

    def fill(self, most):
        """New segments, until so many are out."""
        while self.nxt - self.una < most:
            self.text += sent("+0", number(self.nxt))
            self.nxt += 1

    def acknowledged(self, upto, when):
        self.una = upto
        self.text += f"{when:<5} < . 1:1(0) ack {number(upto)} win 65535\n"


def script(flight, each, sack, first, others):
    wire = Wire(flight, sack)
    wire.fill(flight)
    wire.text += sent("+.3", number(0))
    upto = min(each, flight)
    wire.acknowledged(upto, first)
    if upto == flight:
        wire.fill(min(1 + flight, max(flight // 2, 2)))
        return wire.text
    wire.fill(flight - upto + 2)
    cwnd = flight
    while upto < flight:
        before, upto = upto, min(upto + each, flight)
        wire.acknowledged(upto, others)
        if before > each:
            cwnd += upto - before
        wire.fill(cwnd)
    return wire.text + "+0    %{ assert tcpi_total_retrans == 1, tcpi_total_retrans }%\n"


def main():
    out = Writer("stalls")
    for flight in range(2, 11):
        for each in range(1, flight + 1):
            for sack in ("sack", "plain"):
                for pace, times in PACES.items():
                    out.write(f"{flight}-acknowledged-by-{each}-{pace}-{sack}",
                              f"{flight} segments stall; acknowledgements of {each} come late.\n"
                              "RFC 5682 2.1, 3.1: RFC5682-2-1",
                              script(flight, each, sack == "sack", *times))
    out.done()


if __name__ == "__main__":
    main()
