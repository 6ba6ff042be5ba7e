#!/usr/bin/env python3
"""The RTO after each series of round trips (RFC 6298 2): rows RFC6298-2-1, MUST-18.

The handshake is the first measurement, two segments are the next ones; the third is lost, and comes
again after the RTO. The rules:

    SRTT = R, RTTVAR = R/2; then RTTVAR = 3/4 RTTVAR + 1/4 |SRTT - R|, SRTT = 7/8 SRTT + 1/8 R
    RTO = SRTT + max(G, 4 RTTVAR), G 1 ms, at least 200 ms (deviation D2)
"""
import itertools

from accepted import accepted
from states import Writer

TRIPS = (10, 40, 100, 160, 240)  # ms
LEAST = 200
G = 1


class Estimator:
    def __init__(self, trip):
        self.srtt, self.rttvar = trip, trip / 2

    def measure(self, trip):
        self.rttvar += (abs(self.srtt - trip) - self.rttvar) / 4
        self.srtt += (trip - self.srtt) / 8

    def rto(self):
        return max(LEAST, self.srtt + max(G, 4 * self.rttvar))


def ms(value):
    return f"{value / 1000:.6f}"


def data(first):
    return f"+0    write(4, ..., 1000) = 1000\n+0    > P. {first}:{first + 1000}(1000) ack 1\n"


def script(trips):
    """None: the RTO would come before the acknowledgement."""
    estimator, text, first = Estimator(trips[0]), accepted(f"+{ms(trips[0])}") + "\n", 1
    for trip in trips[1:]:
        if trip >= estimator.rto() - 10:
            return None
        text += data(first) + f"+{ms(trip)} < . 1:1(0) ack {first + 1000} win 65535\n"
        estimator.measure(trip)
        first += 1000
    rto = ms(estimator.rto())
    return text + data(first) + f"+{rto} > P. {first}:{first + 1000}(1000) ack 1\n"


def main():
    out = Writer("round_trips")
    for trips in itertools.product(TRIPS, repeat=3):
        text = script(trips)
        if text:
            out.write("-".join(str(trip) for trip in trips),
                      f"Round trips of {trips[0]}, {trips[1]} and {trips[2]} ms.\n"
                      "RFC 6298 2: RFC6298-2-1, MUST-18", text)
    out.done()


if __name__ == "__main__":
    main()
