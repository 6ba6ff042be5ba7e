#!/usr/bin/env python3
"""Segments in every order, with duplicates and overlaps: what is acknowledged, and the SACK blocks.

The rules, as a receiver of a few lines (class Receiver):

    the acknowledgement is the first byte that is missing (RFC 9293 3.4)
    behind a hole, and when one is filled: at once (RFC 5681 4.2)
    a block is a range of what is held, whole (RFC 2018 4)
    the first block: the duplicate, if the segment was one (RFC 2883 4), then the range that the
        segment went into; the others, the one reported last before the one reported earlier
    a duplicate behind a hole: first it, then the range that holds it (RFC 2883 4.1)
    four blocks at most (RFC 2018 3)
"""
import itertools

from accepted import SACK, accepted
from states import Writer

UNIT = 100
FIRST = 1


class Receiver:
    """What RFC 9293, 2018 and 2883 ask of a receiver; bytes are units of UNIT."""

    def __init__(self):
        self.held = set()  # units behind the first hole, and before it
        self.reported = []  # a unit of each range, the one that grew last first

    def missing(self):
        """The first unit that did not come."""
        return next(i for i in itertools.count() if i not in self.held)

    def range_of(self, unit):
        """All that is held without a hole around @unit."""
        left = right = unit
        while left - 1 in self.held:
            left -= 1
        while right in self.held:
            right += 1
        return left, right

    def take(self, left, right):
        """Units left to right - 1 arrive. Returns whether the ACK is at once, and the blocks."""
        units = set(range(left, right))
        had_hole = any(unit > self.missing() for unit in self.held)
        again = units & self.held
        self.held |= units
        missing = self.missing()
        self.reported.insert(0, left)
        ranges = []
        for unit in self.reported:
            found = self.range_of(unit)
            if unit > missing and found not in ranges:
                ranges.append(found)
        self.reported = [found[0] for found in ranges]
        blocks = [(min(again), max(again) + 1)] if again else []
        at_once = had_hole or bool(again) or left > missing
        return at_once, (blocks + ranges)[:4]


def numbers(left, right):
    return f"{FIRST + left * UNIT}:{FIRST + right * UNIT}"


def body(arrivals, sack):
    """The script of a sequence of (left, right), and whether all of it is read at the end."""
    receiver = Receiver()
    text = accepted(syn_options=SACK if sack else "") + "\n"
    for left, right in arrivals:
        at_once, blocks = receiver.take(left, right)
        text += f"+0    < . {numbers(left, right)}({(right - left) * UNIT}) ack 1 win 65535\n"
        options = ""
        if sack and blocks:
            options = " <nop,nop,sack " + " ".join(numbers(*block) for block in blocks) + ">"
        ack = FIRST + receiver.missing() * UNIT
        text += f"{'+0' if at_once else '+0~+.04':<5} > . 1:1(0) ack {ack}{options}\n"
    total = receiver.missing() * UNIT
    if total:
        text += f"+0    read(4, ..., 10000) = {total}\n"
    return text + "+0    ioctl(4, FIONREAD, [0]) = 0\n"


def orders(writer):
    """Four segments in all 24 orders, each with one of the first three coming twice."""
    for order in itertools.permutations(range(4)):
        for again in (None, 0, 1, 2):
            arrivals = [(unit, unit + 1) for unit in order]
            name = "order-" + "".join(str(unit + 1) for unit in order)
            ids = "RFC2018-4-1, SHLD-31, RFC5681-4.2-1"
            if again is not None:
                arrivals.insert(3, arrivals[again])
                name += f"-again-{order[again] + 1}"
                ids += ", RFC2883-4-1"
            writer.write(name, f"Segments arrive as {name[6:]}.\nRFC 2018 4, RFC 2883 4: {ids}",
                         body(arrivals, True))


def spread(writer):
    """Five segments apart from each other, in all orders: one range more than there are blocks."""
    for order in itertools.permutations((1, 3, 5, 7, 9)):
        arrivals = [(unit, unit + 1) for unit in order]
        name = "".join(str(unit) for unit in order)
        writer.write("spread-" + name,
                     f"Ranges apart from each other arrive as {name}.\nRFC 2018 4: RFC2018-4-1",
                     body(arrivals + [(0, 1)], True))


def overlaps(writer):
    """Two segments of any extent within five units, then all five."""
    extents = [(a, b) for a in range(1, 5) for b in range(a + 1, 6)]
    for one, two in itertools.product(extents, extents):
        name = f"{one[0]}{one[1]}-{two[0]}{two[1]}"
        writer.write("overlap-" + name,
                     f"Units {one[0]} to {one[1]}, then {two[0]} to {two[1]}, then all five: each "
                     "byte is read once.\nRFC 9293 3.10.7.4 seventh: SHLD-31, U-4",
                     body([one, two, (0, 5)], False))


def main():
    writer = Writer("arrivals")
    orders(writer)
    spread(writer)
    overlaps(writer)
    writer.done()


if __name__ == "__main__":
    main()
