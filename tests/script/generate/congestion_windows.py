#!/usr/bin/env python3
"""NewReno's window, ACK by ACK (RFC 5681 3.1, RFC 3465 2.1): rows RFC5681-3.1-1, RFC5681-3.1-5,
MUST-19; B-20.

F segments are lost, the first one is sent again and all are acknowledged; then data without end,
each ACK for so many segments. The rules:

    time-out: ssthresh = max(F/2, 2) segments, cwnd = 1
    below ssthresh cwnd grows by what is acknowledged, up to ssthresh (deviation D12: no limit L)
    from there by one segment when a cwnd of bytes was acknowledged
    what is out is at most cwnd, and always as much as goes in whole segments
"""
from accepted import MSS, accepted, number, sent, write
from states import Writer

OPEN = "`sysctl -w net.ipv4.tcp_congestion_control=reno`\n" + accepted() + "\n"
ROUNDS = 4


class Sender:
    def __init__(self, flight):
        self.ssthresh, self.cwnd, self.counted = max(flight * MSS // 2, 2 * MSS), MSS, 0
        self.una, self.nxt = 1, 1 + flight * MSS

    def acknowledge(self, upto):
        acked, self.una = upto - self.una, upto
        if self.cwnd < self.ssthresh:
            self.cwnd += min(acked, self.ssthresh - self.cwnd)
            return
        self.counted += acked
        if self.counted >= self.cwnd:
            self.counted -= self.cwnd
            self.cwnd += MSS

    def send(self):
        text = ""
        while self.nxt - self.una + MSS <= self.cwnd:
            text += sent("+0", self.nxt)
            self.nxt += MSS
        return text


def lost(flight):
    text = write(flight * MSS)
    for i in range(flight):
        text += sent("+0", number(i), flags="P." if i == flight - 1 else ".")
    return text + sent("+.3", 1, flags="P." if flight == 1 else ".")


def ack(when, upto):
    return f"{when:<5} < . 1:1(0) ack {upto} win 65535\n"


def script(flight, each):
    sender = Sender(flight)
    text = OPEN + lost(flight) + ack("+.1", sender.nxt)
    sender.acknowledge(sender.nxt)
    text += write(200000) + sender.send()
    for _ in range(ROUNDS):
        edge, when = sender.nxt, "+.1"
        while sender.una < edge:
            upto = min(sender.una + each * MSS, edge)
            text += ack(when, upto)
            sender.acknowledge(upto)
            text += sender.send()
            when = "+0"
    return text


def main():
    out = Writer("congestion_windows")
    for flight in range(1, 11):
        for each in (1, 2, 3):
            out.write(f"lost-{flight}-acknowledged-by-{each}",
                      f"{flight} segments time out; then ACKs of {each} segments.\n"
                      "RFC 5681 3.1: RFC5681-3.1-1, RFC5681-3.1-5, MUST-19, B-20",
                      script(flight, each))
    out.done()


if __name__ == "__main__":
    main()
