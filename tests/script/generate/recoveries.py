#!/usr/bin/env python3
"""Recoveries with SACK: ten segments, any of them lost (RFC 8985 6.2, RFC 9937 6, RFC 3042): rows
RFC6937-3-1, RFC8985-6.2-1, RFC8985-9.3-1, RFC6675-5-1, RFC9438-4.6-1; B-22.

Each segment that arrives is acknowledged at once, 0.1 s after it was sent; what is sent later is
not lost. The rules, with NewReno or CUBIC and without probes:

    an acknowledgement of progress lets cwnd grow by as much (slow start), a report lets one new
        segment go, as it left the network; no more than cwnd is in flight
    what was sent before the latest arrival is lost: at once in recovery or when three segments are
        reported, else after a quarter of the round trip, counted from when it should have arrived
    recovery begins: RecoverFS is what is outstanding and was not reported before the acknowledgement
        that begins it, ssthresh half of cwnd at most (CUBIC: seven tenths), two segments at least; it
        ends when all that was outstanding is acknowledged
    in recovery, with D delivered and S sent since it began, in bytes:
        more than ssthresh in flight: D * ssthresh / RecoverFS - S may go
        else as much as is missing to ssthresh, but no more than the larger of D - S and what the
            acknowledgement delivered; one segment more where it is of progress and shows no loss
        while S is 0 one segment in any case
    lost segments go first, in order of their numbers
"""
import heapq

from accepted import MSS, SACK, accepted, number, sent, write
from states import Writer

SETTINGS = "`sysctl -w net.ipv4.tcp_congestion_control={} net.ipv4.tcp_early_retrans=0`\n"
OPEN = accepted(syn_options=SACK) + "\n" + write(65000)
FLIGHT = 10
RTT = 100000  # all times in microseconds
START = 100000
ALGORITHMS = {"reno": 500, "cubic": 700}  # what is left after a loss, in thousandths


class Peer:
    """Keeps what comes; says what it has, the latest first (RFC 2018 4)."""

    def __init__(self):
        self.have, self.recent = set(), []

    def blocks(self, latest):
        self.have.add(latest)
        self.recent = [latest] + [n for n in self.recent if n != latest]
        una, out = self.una(), []
        for n in self.recent:
            if n < una or any(a <= n < b for a, b in out):
                continue
            a = b = n
            while a - 1 in self.have:
                a -= 1
            while b in self.have:
                b += 1
            out.append((a, b))
        return out[:4]

    def una(self):
        n = 0
        while n in self.have:
            n += 1
        return n


class Sender:
    """Segments are numbered from 0."""

    def __init__(self, left):
        self.left = left
        self.una = self.nxt = 0
        self.sent = {}        # segment: when, and the how-manieth transmission of all
        self.count = 0
        self.sacked, self.lost = set(), set()
        self.cwnd, self.ssthresh = FLIGHT * MSS, None
        self.recovering, self.recover = False, 0
        self.latest = -1      # the transmission that arrived, of all that did the latest
        self.rtt = RTT
        self.due = None

    def in_flight(self):
        return (self.nxt - self.una - len(self.sacked) - len(self.lost)) * MSS

    def pace(self, delivered, safe):
        self.delivered += delivered
        room = self.ssthresh - self.in_flight()
        if room < 0:
            send = -(-self.delivered * self.ssthresh // self.recover_fs) - self.out
        else:
            send = max(self.delivered - self.out, delivered) + (MSS if safe else 0)
            send = min(send, room)
        if not self.out:
            send = max(send, MSS)
        self.cwnd = max(self.in_flight() + max(send, 0), MSS)

    def find_losses(self, now, delivered):
        """Whether there are new ones, now that so much was delivered."""
        quick = self.recovering or len(self.sacked) >= 3
        found, self.due = False, None
        for n in range(self.una, self.nxt):
            when, order = self.sent[n]
            if n in self.sacked or n in self.lost or order > self.latest:
                continue
            due = when + self.rtt + (0 if quick else RTT // 4)
            if due > now:
                self.due = max(self.due or 0, due)
            else:
                self.lost.add(n)
                found = True
        if found and not self.recovering:
            self.recovering, self.recover = True, self.nxt
            outstanding = (self.nxt - self.una) * MSS
            self.recover_fs = outstanding - len(self.sacked) * MSS + delivered
            self.ssthresh = max(min(outstanding, self.cwnd) * self.left // 1000, 2 * MSS)
            self.delivered = self.out = 0
        return found

    def acknowledged(self, now, una, blocks, latest):
        acked, self.una = una - self.una, una
        reported = {n for a, b in blocks for n in range(a, b)}
        self.sacked = {n for n in self.sacked | reported if n >= una}
        self.lost = {n for n in self.lost if n >= una and n not in self.sacked}
        if self.sent[latest][1] > self.latest:
            self.latest, self.rtt = self.sent[latest][1], now - self.sent[latest][0]
        over = self.recovering and una >= self.recover
        if over:
            self.recovering, self.cwnd = False, self.ssthresh
        found = self.find_losses(now, MSS)
        if self.recovering:
            self.pace(MSS, acked > 0 and not found)
        elif acked and not over:
            self.cwnd += acked * MSS
        return over

    def timer(self, now):
        if self.find_losses(now, 0):
            self.pace(0, False)

    def send(self, now):
        out = []
        while True:
            if self.in_flight() and self.in_flight() + MSS > self.cwnd:
                return out
            n = min(self.lost) if self.lost else self.nxt
            self.lost.discard(n)
            self.nxt = max(self.nxt, n + 1)
            self.count += 1
            self.sent[n] = (now, self.count)
            if self.recovering:
                self.out += MSS
            out.append(n)


def after(now, then):
    return f"+{(now - then) / 1e6:.6f}".rstrip("0").rstrip(".") if now != then else "+0"


def packets(segments, when):
    text = ""
    for n in segments:
        text += sent(f"{when:<9}", number(n))
        when = "+0"
    return text


def script(missing, algorithm):
    sender, peer, queue = Sender(ALGORITHMS[algorithm]), Peer(), []
    text, last = SETTINGS.format(algorithm) + OPEN, START

    def go(now, when):
        out = sender.send(now)
        for n in out:
            if now > START or n not in missing:
                heapq.heappush(queue, (now + RTT, sender.sent[n][1], n))
        return packets(out, when)

    text += go(START, "+0")
    while queue:
        now, _, latest = queue[0]
        if sender.due is not None and sender.due < now:
            now = sender.due
            sender.timer(now)
            text += go(now, after(now, last))
            last = now
            continue
        heapq.heappop(queue)
        blocks = peer.blocks(latest)
        una = peer.una()
        sack = " ".join(f"{number(a)}:{number(b)}" for a, b in blocks)
        option = f" <nop,nop,sack {sack}>" if sack else ""
        text += f"{after(now, last):<9} < . 1:1(0) ack {number(una)} win 65535{option}\n"
        last = now
        over = sender.acknowledged(now, una, blocks, latest)
        text += go(now, "+0")
        if over:
            return text
    raise AssertionError("it never ended")


def main():
    out = Writer("recoveries")
    for bits in range(1, 2**FLIGHT - 1):
        missing = [n for n in range(FLIGHT) if bits >> n & 1]
        name = "".join(str(n) for n in missing)
        for algorithm in ALGORITHMS:
            out.write(f"lost-{name}-{algorithm}",
                      f"Of the segments 0 to 9 these are lost: {', '.join(map(str, missing))}.\n"
                      "RFC 8985 6.2, RFC 6937 3: RFC6937-3-1, RFC8985-6.2-1, RFC8985-9.3-1, "
                      "RFC6675-5-1, RFC9438-4.6-1, B-22", script(missing, algorithm))
    out.done()


if __name__ == "__main__":
    main()
