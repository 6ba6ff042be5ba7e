#!/usr/bin/env python3
"""Timestamps against TS.Recent: every distance, every kind of segment (RFC 7323 4.3, 5.2, 5.3).

The rules, for a connection that agreed on timestamps:

    R1  SEG.TSval < TS.Recent, modulo 2^32, and no RST: an ACK, and it is dropped
    R2  outside the window: dropped, an ACK; RST: RFC 5961 3.2
    R3  SEG.TSval >= TS.Recent and SEG.SEQ =< Last.ACK.sent: TS.Recent is SEG.TSval
    5.2 a RST is not looked at, and changes nothing

What TS.Recent is shows in the TSecr of what we send next. A distance of 2^31 is neither before nor
after, and left out. We take R3 once the ACK field is believed too (attack C-07).
"""
from accepted import accepted
from states import Writer

RECENT = 1000
# Name, distance from TS.Recent, older?
DISTANCES = [("equal", 0, False), ("next", 1, False), ("a-day-on", 86400000, False),
             ("farthest-on", 2**31 - 1, False), ("one-before", -1, True),
             ("a-day-before", -86400000, True), ("farthest-before", -(2**31 - 1), True)]

OPEN = accepted(syn_options=f",nop,nop,TS val {RECENT} ecr 0",
                ack_options=f" <nop,nop,TS val {RECENT} ecr 0!>")
FIN_OUT = f"""+0    shutdown(4, SHUT_WR) = 0
+0    > F. 1:1(0) ack 1 <nop,nop,TS val 1 ecr {RECENT}>
"""
FIN_ACKED = f"+.1   < . 1:1(0) ack 2 win 65535 <nop,nop,TS val {RECENT} ecr 0!>\n"

# State: how to get there, SND.NXT.
STATES = {"established": (OPEN, 1), "fin-wait-1": (OPEN + FIN_OUT, 2),
          "fin-wait-2": (OPEN + FIN_OUT + FIN_ACKED, 2)}


class Case:
    """What a segment of one kind does if it is not older: its line, the answer, RCV.NXT after."""

    def __init__(self, line, answer, rcv_nxt, when="+0~+.04", moves=True):
        self.line, self.answer, self.rcv_nxt = line, answer, rcv_nxt
        self.when, self.moves = when, moves  # when we answer; whether R3 applies


KINDS = {
    "data": Case("P. 1:101(100)", ". {nxt}:{nxt}(0) ack 101", 101),
    "data-and-fin": Case("FP. 1:101(100)", ". {nxt}:{nxt}(0) ack 102", 102),
    "fin": Case("F. 1:1(0)", ". {nxt}:{nxt}(0) ack 2", 2),
    "out-of-order": Case("P. 101:201(100)", ". {nxt}:{nxt}(0) ack 1", 1, "+0", False),
    "out-of-window": Case("P. 1000001:1000101(100)", ". {nxt}:{nxt}(0) ack 1", 1, "+0", False),
    "ack": Case(". 1:1(0)", None, 1),
}


def accepted(case, nxt, value):
    """The segment is taken: its answer, if there is one, echoes what R3 leaves."""
    echo = value if case.moves else RECENT
    if case.answer is None:
        return "", echo
    return f"{case.when:<5} > {case.answer.format(nxt=nxt)} <nop,nop,TS val 1 ecr {echo}>\n", echo


def script(writer, state, kind, distance):
    """One segment in one state; then one more, which tells what TS.Recent is and what was taken."""
    opening, nxt = STATES[state]
    case, (name, offset, older) = KINDS[kind], distance
    value = (RECENT + offset) % 2**32
    line = f"+.1   < {case.line} ack 1 win 65535 <nop,nop,TS val {value} ecr 0!>\n"
    if older:
        answer = f"+0    > . {nxt}:{nxt}(0) ack 1 <nop,nop,TS val 1 ecr {RECENT}>\n"
        echo, rcv_nxt = RECENT, 1
    else:
        answer, echo = accepted(case, nxt, value)
        rcv_nxt = case.rcv_nxt
    body = opening + "\n" + line + answer
    # An old duplicate of the SYN's number with a good timestamp: answered at once.
    body += f"+.1   < . 0:1(1) ack 1 win 65535 <nop,nop,TS val {echo} ecr 0!>\n"
    body += f"+0    > . {nxt}:{nxt}(0) ack {rcv_nxt} <nop,nop,TS val 1 ecr {echo}>\n"
    ids = "RFC7323-5.3-1" if older else "RFC7323-4.3-1"
    if kind == "out-of-window" and not older:
        ids += ", C-07"
    writer.write(f"{state}-{kind}-{name}",
                 f"{kind} with TSval {offset:+} in {state}: {'dropped' if older else 'not older'}."
                 f"\nRFC 7323 5.3: {ids}", body)


def reset(writer, distance):
    """5.2: whatever its timestamp, a reset at RCV.NXT resets."""
    name, offset, _ = distance
    value = (RECENT + offset) % 2**32
    writer.write(f"established-reset-{name}",
                 f"A reset with TSval {offset:+}: it resets.\nRFC 7323 5.2: RFC7323-5.2-1",
                 OPEN + f"\n+.1   < R. 1:1(0) ack 1 win 0 <nop,nop,TS val {value} ecr 0!>\n"
                 "+0    read(4, ..., 100) = -1 ECONNRESET (reset by peer)\n")


def main():
    writer = Writer("paws")
    for distance in DISTANCES:
        for state in STATES:
            for kind in KINDS:
                script(writer, state, kind, distance)
        reset(writer, distance)
    writer.done()


if __name__ == "__main__":
    main()
