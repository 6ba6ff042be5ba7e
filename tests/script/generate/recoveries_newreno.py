#!/usr/bin/env python3
"""Recoveries without SACK: ten segments, any of them lost (RFC 5681 3.2, RFC 6582 3.2, RFC 3042):
rows RFC5681-3.2-1, RFC6582-3-1; B-20, B-21.

Each segment that arrives is acknowledged at once, 0.1 s after it was sent; what is sent later is
not lost. The rules are those of the RFCs to the letter, cwnd inflated and deflated:

    progress lets cwnd grow by as much (slow start)
    the first and the second duplicate let a new segment go each, beyond cwnd
    the third: ssthresh is half of what was out, without those, cwnd three segments more than that;
        the first segment goes again
    each further one lets cwnd grow by a segment
    progress that leaves some of it: the next hole goes again, cwnd shrinks by what was
        acknowledged and grows by a segment
    all of it: cwnd is ssthresh, or one segment more than is in flight, if that is less
"""
import heapq

from accepted import accepted, number, sent, write
from states import Writer

OPEN = "`sysctl -w net.ipv4.tcp_congestion_control=reno`\n" + accepted() + "\n" + write(65000)
FLIGHT = 10
RTT = 100000  # all times in microseconds
START = 100000


class Sender:
    """Counts in segments, numbered from 0."""

    def __init__(self):
        self.una = self.nxt = self.duplicates = 0
        self.cwnd, self.ssthresh = FLIGHT, None
        self.recovering, self.recover = False, 0

    def new(self, most):
        """As many as fit into a window of so many."""
        count = max(int(most) - (self.nxt - self.una), 0)
        self.nxt += count
        return list(range(self.nxt - count, self.nxt))

    def acknowledged(self, una):
        """What goes; and whether recovery is over."""
        acked, self.una = una - self.una, una
        if not acked:
            self.duplicates += 1
            if self.recovering:
                self.cwnd += 1
                return self.new(self.cwnd), False
            if self.duplicates < 3:
                return self.new(self.cwnd + self.duplicates), False
            out = min(self.nxt - una, self.cwnd)
            self.recovering, self.recover = True, self.nxt
            self.ssthresh = max(out / 2, 2)
            self.cwnd = self.ssthresh + 3
            return [una] + self.new(self.cwnd), False
        self.duplicates = 0
        if not self.recovering:
            self.cwnd += acked
            return self.new(self.cwnd), False
        if una >= self.recover:
            self.cwnd = min(self.ssthresh, max(self.nxt - una, 1) + 1)
            return self.new(self.cwnd), True
        self.cwnd += 1 - acked
        return [una] + self.new(self.cwnd), False


def packets(segments):
    return "".join(sent("+0", number(n)) for n in segments)


def script(missing):
    """None where the retransmission timer would be over before."""
    sender, have, queue, count = Sender(), set(), [], 0
    first = sender.new(FLIGHT)
    text, last, una = OPEN + packets(first), START, 0
    for n in first:
        if n not in missing:
            heapq.heappush(queue, (START + RTT, count, n))
            count += 1
    while queue:
        now, _, n = heapq.heappop(queue)
        if now > START + 2 * RTT and not sender.recovering:
            return None
        have.add(n)
        while una in have:
            una += 1
        when = f"+{(now - last) / 1e6:g}" if now != last else "+0"
        text += f"{when:<5} < . 1:1(0) ack {number(una)} win 65535\n"
        last = now
        out, over = sender.acknowledged(una)
        text += packets(out)
        for n in out:
            heapq.heappush(queue, (now + RTT, count, n))
            count += 1
        if over:
            return text
    return None


def main():
    out = Writer("recoveries_newreno")
    for bits in range(1, 2**FLIGHT - 1):
        missing = [n for n in range(FLIGHT) if bits >> n & 1]
        text = script(missing)
        if text:
            out.write(f"lost-{''.join(map(str, missing))}",
                      f"Of the segments 0 to 9 these are lost: {', '.join(map(str, missing))}.\n"
                      "RFC 5681 3.2, RFC 6582 3.2: RFC5681-3.2-1, RFC6582-3-1, B-20, B-21", text)
    out.done()


if __name__ == "__main__":
    main()
