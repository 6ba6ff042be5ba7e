#!/usr/bin/env python3
"""When a segment is worth sending (RFC 9293 3.8.6.2.1): rows MUST-38, SHLD-28; B-23.

Nothing is outstanding. D bytes are written to a peer whose window is U now and was MAX at most; MSS
is 1000. The section's four conditions:

    (1) min(D,U) >= MSS: send full segments
    (2) D =< U: all there is goes, pushed
    (3) min(D,U) >= MAX / 2
    (4) else what fits goes when the override timer fires: an RTO, 300 ms (the section asks for 0.1
        to 1.0 s); with a window of 0 that is the probe of 3.8.6.1
"""
from states import Writer

OPEN = """0     socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0    bind(3, ..., ...) = 0
+0    listen(3, 1) = 0
+0    < S 0:0(0) win {largest} <mss 1000>
+0    > S. 0:0(0) ack 1 <...>
+.1   < . 1:1(0) ack 1 win {window}
+0    accept(3, ..., ...) = 4

+0    write(4, ..., {data}) = {data}
"""
MSS = 1000


def segment(when, first, length, pushed):
    flags = "P." if pushed else "."
    return f"{when:<5} > {flags} {first}:{first + length}({length}) ack 1\n"


def expected(data, window, largest):
    if window == 0:
        return segment("+.3", 1, 1, True), "probe"
    text, first = "", 1
    while min(data, window) >= MSS:
        data, window = data - MSS, window - MSS
        text += segment("+0", first, MSS, data == 0)
        first += MSS
    if 0 < data <= window:
        text += segment("+0", first, data, True)
    elif data and not text and window >= largest / 2:
        text += segment("+0", first, window, False)
    elif data and not text:
        return segment("+.3", first, window, False), "override"
    return text, "send"


def main():
    out = Writer("silly_windows")
    for largest in (800, 1000, 2000, 65535):
        for window in (0, 1, 399, 400, 500, 999, 1000, 1400, 2600):
            for data in (1, 400, 999, 1000, 1400, 2600):
                text, verdict = expected(data, window, max(largest, window))
                out.write(f"data-{data}-window-{window}-of-{largest}",
                          f"{data} bytes, a window of {window} that was {largest}: {verdict}.\n"
                          "RFC 9293 3.8.6.2.1: MUST-38, SHLD-28, B-23",
                          OPEN.format(data=data, window=window, largest=largest) + text)
    out.done()


if __name__ == "__main__":
    main()
