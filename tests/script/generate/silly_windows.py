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
from accepted import MSS, accepted, sent, write
from states import Writer



def expected(data, window, largest):
    if window == 0:
        return sent("+.3", 1, 1, "P."), "probe"
    text, first = "", 1
    while min(data, window) >= MSS:
        data, window = data - MSS, window - MSS
        text += sent("+0", first, flags="." if data else "P.")
        first += MSS
    if 0 < data <= window:
        text += sent("+0", first, data, "P.")
    elif data and not text and window >= largest / 2:
        text += sent("+0", first, window)
    elif data and not text:
        return sent("+.3", first, window), "override"
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
                          accepted(window=largest, last_window=window) + "\n" + write(data) + text)
    out.done()


if __name__ == "__main__":
    main()
