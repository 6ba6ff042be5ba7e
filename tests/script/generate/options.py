#!/usr/bin/env python3
"""TCP options of every kind, length and place (RFC 9293 3.1, 3.2; attacks A-03, A-11).

The rules:

    kind 0 ends the list, kind 1 is a byte of its own               MUST-4
    any other kind has a length; unknown ones are stepped over      MUST-6, MUST-68
    an option may stand at any byte                                 MUST-64
    on any segment                                                  MUST-5
    a length of 0 or 1, or past the header: the list ends there     MUST-7
    a known kind of the wrong length is as good as unknown          A-03, A-11

Seen is the option behind: timestamps, which were agreed on. If they are found they are echoed; if
not, the segment is dropped in silence (RFC 7323 3.2).
"""
from states import Writer

OPEN = """0     socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0    bind(3, ..., ...) = 0
+0    listen(3, 1) = 0
"""
ACCEPT = """+0    accept(3, ..., ...) = 4

"""
KINDS = {"mss": (2, 4), "window-scale": (3, 3), "sack-permitted": (4, 2), "sack": (5, 10),
         "timestamps": (8, 10), "md5": (19, 18), "fast-open": (34, 2), "unknown": (253, 6)}
TIMESTAMPS = 10
ROOM = 40


def option(kind, length, written):
    """`written` bytes in all, of which two are kind and length; what they hold is noise."""
    return f"0x{kind:02x}/{length}:" + "a5" * (written - 2)


def pad(size):
    return ",nop" * (-size % 4)


class Stream:
    """Segments of 10 bytes, each with its options; the one after shows what became of it."""

    def __init__(self):
        self.next, self.value = 1, 200
        self.text = (OPEN + "+0    < S 0:0(0) win 65535 <mss 1000,nop,nop,TS val 100 ecr 0>\n"
                     "+0    > S. 0:0(0) ack 1 <...>\n"
                     "+.1   < . 1:1(0) ack 1 win 65535 <nop,nop,TS val 100 ecr 0!>\n" + ACCEPT)
        self.echo = 100

    def segment(self, options, size, found):
        """@options before timestamps of a new value, which are found or not."""
        first, end = self.next, self.next + 10
        self.value += 1
        text = f"{options},TS val {self.value} ecr 0!{pad(size + TIMESTAMPS)}"
        self.text += f"+.1   < P. {first}:{end}(10) ack 1 win 65535 <{text}>\n"
        if found:
            self.next, self.echo = end, self.value
            self.text += f"+0~+.04 > . 1:1(0) ack {end} <nop,nop,TS val 1 ecr {self.value}>\n"

    def good(self):
        self.segment("nop,nop", 2, True)


def wrong_lengths(writer, name, kind, right):
    """One kind with every length; behind NOPs so that it stands at each byte of a word."""
    lengths = {"zero": 0, "one": 1, "short": right - 1, "right": right, "long": right + 1,
               "past": 200}
    for what, length in lengths.items():
        if what == "right" and name == "timestamps":
            continue
        if what == "short" and length < 2:
            continue
        written = length if 2 <= length <= 28 else 2
        stream = Stream()
        for nops in range(4):
            if written + nops + TIMESTAMPS > ROOM:
                break
            text = "nop," * nops + option(kind, length, written)
            stream.segment(text, nops + written, 2 <= length <= 28)
            stream.good()
        ends = "stepped over" if 2 <= length <= 28 else "the list ends there"
        ids = "MUST-6, MUST-5, MUST-64" if 2 <= length <= 28 else "MUST-7"
        if name in ("mss", "sack") and what != "right":
            ids += {"mss": ", A-03", "sack": ", A-11"}[name]
        writer.write(f"{name}-length-{what}",
                     f"Kind {kind} with the length {length}, on data: {ends}.\n"
                     f"RFC 9293 3.1: {ids}", stream.text)


def unknown_kinds(writer):
    """All kinds that nobody knows, lengths from 2 to 25 in turn."""
    known = {kind for kind, _ in KINDS.values()} | {0, 1}
    kinds = [kind for kind in range(256) if kind not in known or kind == 253]
    for first in range(0, len(kinds), 16):
        stream = Stream()
        for i, kind in enumerate(kinds[first:first + 16]):
            length = 2 + (first + 5 * i) % 24
            stream.segment(option(kind, length, length), length, True)
        writer.write(f"unknown-kinds-{kinds[first]:03}",
                     f"Kinds from {kinds[first]} on, which nobody knows: stepped over.\n"
                     "RFC 9293 3.1: MUST-6, MUST-5", stream.text)


def places(writer):
    """The MSS and SACK-permitted of a SYN at each byte of a word, in both orders."""
    for before in range(4):
        for between in range(4):
            for swapped in (False, True):
                pair = ["sackOK", "mss 700"] if swapped else ["mss 700", "sackOK"]
                size = before + between + 6
                text = "nop," * before + pair[0] + ",nop" * between + "," + pair[1] + pad(size)
                body = (OPEN + f"+0    < S 0:0(0) win 65535 <{text}>\n"
                        "+0    > S. 0:0(0) ack 1 <...>\n"
                        "+.1   < . 1:1(0) ack 1 win 65535\n" + ACCEPT +
                        "+0    write(4, ..., 701) = 701\n"
                        "+0    > . 1:701(700) ack 1\n"
                        "+0    > P. 701:702(1) ack 1\n"
                        "+.1   < . 101:201(100) ack 702 win 65535\n"
                        "+0    > . 702:702(0) ack 1 <nop,nop,sack 101:201>\n")
                order = "sack-first" if swapped else "mss-first"
                writer.write(f"syn-{order}-{before}-{between}",
                             f"{before} NOPs before, {between} between MSS and SACK-permitted.\n"
                             "RFC 9293 3.1, 3.2: MUST-4, MUST-64, MUST-14, RFC2018-2-1", body)


def main():
    writer = Writer("options")
    for name, (kind, right) in KINDS.items():
        wrong_lengths(writer, name, kind, right)
    unknown_kinds(writer)
    places(writer)
    writer.done()


if __name__ == "__main__":
    main()
