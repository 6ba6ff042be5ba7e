#!/usr/bin/env python3
"""Urgent pointers of every kind on segments of every kind (RFC 9293 3.8.5, attack A-04).

The rules:

    an unacceptable segment is dropped, its pointer with it (3.10.7.4 first)
    RCV.UP <- max(RCV.UP, SEG.UP), SEG.UP = SEG.SEQ + pointer (3.10.7.4 sixth, MUST-62)
    text is text, whatever the pointer says (seventh): all of it is delivered, once
    the user is at the mark where the next byte is the last urgent one, SEG.UP - 1 (RFC 6093 3.1)
"""
from accepted import accepted
from states import Writer

OPEN = accepted() + """+0    setsockopt(4, SOL_SOCKET, SO_OOBINLINE, [1], 4) = 0

// 200 bytes that are read.
+0    < P. 1:201(200) ack 1 win 65535
+0~+.04 > . 1:1(0) ack 201
+0    read(4, ..., 1000) = 200

"""
READ = 201  # what the user reads next
LENGTH = 100

# Where the segment lies: name, its first number, whether it is acceptable, what comes after it.
PLACES = [("in-order", 201, True), ("overlapping", 151, True), ("old", 51, False),
          ("behind-a-hole", 301, True), ("beyond-the-window", 200201, False)]
POINTERS = [0, 1, 49, 50, 51, LENGTH - 1, LENGTH, LENGTH + 1, LENGTH + 1000, 32768, 65535]
FLAGS = {"": "PU.", "-fin": "FPU.", "-no-psh": "U."}


def lines(flags, first, acceptable, pointer):
    """The segment, the ACK it earns, what fills the hole; and where the stream then ends."""
    fin = "F" in flags
    end = first + LENGTH
    text = f"+0    < {flags} {first}:{end}({LENGTH}) ack 1 win 65535 urg {pointer}\n"
    if not acceptable:
        return text + "+0    > . 1:1(0) ack 201\n", READ, False
    if first <= READ:
        return text + f"+0~+.04 > . 1:1(0) ack {end + fin}\n", end, fin
    text += "+0    > . 1:1(0) ack 201\n"
    text += f"+0    < . 201:{first}({first - 201}) ack 1 win 65535\n"
    return text + f"+0    > . 1:1(0) ack {end + fin}\n", end, fin


def at_mark(position, mark):
    return f"+0    ioctl(4, SIOCATMARK, [{int(position == mark)}]) = 0\n"


def read_through(end, mark):
    """Reads to the mark if it lies in what is there, over it, and to the end."""
    text, position = at_mark(READ, mark), READ
    for stop in sorted({mark, mark + 1, end}):
        if READ < stop <= end:
            text += f"+0    read(4, ..., {stop - position}) = {stop - position}\n"
            position = stop
            text += at_mark(position, mark)
    return text


def script(writer, place, pointer, suffix):
    """One pointer on one segment."""
    name, first, acceptable = place
    segment, end, fin = lines(FLAGS[suffix], first, acceptable, pointer)
    up = first + pointer
    mark = up - 1 if acceptable and up > READ else None
    body = OPEN + segment + "\n"
    body += read_through(end, mark if mark is not None else -1)
    body += "+0    ioctl(4, FIONREAD, [0]) = 0\n"
    if fin:
        body += "+0    read(4, ..., 1000) = 0\n"
    else:
        body += f"+0    < P. {end}:{end + 10}(10) ack 1 win 65535\n"
        body += f"+0~+.04 > . 1:1(0) ack {end + 10}\n"
        body += "+0    read(4, ..., 1000) = 10\n"
    told = "nothing is urgent" if mark is None else f"the mark is before {mark}"
    writer.write(f"{name}{suffix}-{pointer}",
                 f"A pointer of {pointer} on a segment {name.replace('-', ' ')}: {told}.\n"
                 "RFC 9293 3.8.5: A-04, MUST-30, MUST-33", body)


def main():
    writer = Writer("urgent")
    for place in PLACES:
        for pointer in POINTERS:
            for suffix in FLAGS:
                script(writer, place, pointer, suffix)
    writer.done()


if __name__ == "__main__":
    main()
