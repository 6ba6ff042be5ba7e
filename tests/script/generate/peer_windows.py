#!/usr/bin/env python3
"""The peer's window opens, stays, shrinks, closes (RFC 9293 3.8.6): MUST-34, MUST-35, SHLD-15,
SHLD-16, SHLD-29, MUST-38, B-23.

Four segments of 1000 bytes fill the window of 4000; 16000 bytes more wait. Then one ACK tells how
much came and how large the window is now. The rules:

    new data: full segments as far as the right edge allows, nothing if it moved left (SHLD-15), no
        silly segment to fill the rest (3.8.6.2.1)
    at the RTO, with data out: the oldest of it, as far as the window allows (SHLD-16); a byte of it
        as a probe if the window is closed (MUST-35)
    at the RTO, with nothing out: a byte as a probe if the window is closed (SHLD-29), or what the
        window takes if that is less than a segment (the override of 3.8.6.2.1)
    the RTO is 300 ms from the first segment; once something is acknowledged, 250 ms from then (RFC
        6298 2.3, 5.3: round trips of 100 ms)
"""
from accepted import MSS, accepted, number, sent, write
from states import Writer

WINDOW = 4000
OPEN = (accepted(window=WINDOW) + "\n" + write(20000)
        + "".join(sent("+0", number(i)) for i in range(WINDOW // MSS)) + "\n")
NXT = number(WINDOW // MSS)
WINDOWS = (0, 1, 500, 999, 1000, 1001, 1999, 2000, 2001, 2999, 3000, 3001, 3999, 4000, 4001, 4999,
           5000, 6000)


def expected(ack, window):
    edge, nxt, text = ack + window, NXT, ""
    while edge - nxt >= MSS:
        text += sent("+0", nxt)
        nxt += MSS
    timer = "+.2" if ack == 1 else "+.25"
    if window == 0:
        return text + sent(timer, ack, 1, "P.")
    return text + sent(timer, ack, min(MSS, window))


def main():
    out = Writer("peer_windows")
    for ack in (1, 1001, 2001, 3001, 4001):
        for window in WINDOWS:
            moved = ack + window - NXT
            what = f"moves right by {moved}" if moved > 0 else (
                f"moves left by {-moved}" if moved else "stays")
            out.write(f"ack-{ack}-window-{window}",
                      f"Up to {ack} acknowledged, window {window}: the right edge {what}.\n"
                      "RFC 9293 3.8.6: MUST-34, MUST-35, SHLD-15, SHLD-16, B-23",
                      OPEN + f"+.1   < . 1:1(0) ack {ack} win {window}\n" + expected(ack, window))
    out.done()


if __name__ == "__main__":
    main()
