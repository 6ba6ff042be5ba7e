#!/usr/bin/env python3
"""Closing in every order (RFC 9293 3.6, 3.6.1): rows U-12, U-13, U-20, SHLD-3, MUST-12.

Six things may happen, each once: our user closes; the peer sends text; the peer sends its FIN,
which acknowledges ours or not yet; the peer acknowledges all; the peer's FIN comes a second time.
They come in every order that an honest peer and a network can bring about. What each must lead to
is in class Connection, which follows figures 5, 12 and 13 and the steps of 3.10.7.4.

The user keeps the connection (half-close by shutdown) or lets it go (close). At the end, where our
FIN is not acknowledged, it must come again (U-14).
"""
import itertools

from states import PEER_WINDOW, SERVER, Writer, inbound, outbound

TEXT = 10
CLOSE, SAY, FIN, FIN_AND_ACK, ACK, FIN_AGAIN = "close", "text", "fin", "finack", "ack", "again"
EVENTS = (CLOSE, SAY, FIN, FIN_AND_ACK, ACK, FIN_AGAIN)
TCPI = {"ESTABLISHED": "TCP_ESTABLISHED", "FIN-WAIT-1": "TCP_FIN_WAIT1",
        "FIN-WAIT-2": "TCP_FIN_WAIT2", "CLOSE-WAIT": "TCP_CLOSE_WAIT", "CLOSING": "TCP_CLOSING",
        "LAST-ACK": "TCP_LAST_ACK", "TIME-WAIT": "TCP_TIME_WAIT", "CLOSED": "TCP_CLOSE"}


class Connection:
    """Our end as the RFC has it, and what the peer has sent so far."""

    def __init__(self, held):
        self.held = held
        self.state = "ESTABLISHED"
        self.una = self.nxt = self.rcv = 1
        self.peer_nxt = self.peer_ack = 1
        self.fin = None  # the peer's: number, and what it acknowledged
        self.unread = 0

    def happens(self, event):
        """The lines of the event and of what follows at once."""
        return getattr(self, "on_" + event)()

    def answer(self, when="+0"):
        return outbound(when, ".", self.nxt, self.rcv)

    def on_close(self):
        call = "shutdown(4, SHUT_WR)" if self.held else "close(4)"
        text = f"+.01  {call} = 0\n"
        if not self.held and self.unread:  # SHLD-3; deviation D13
            self.state = "CLOSED"
            return text + outbound("+0", "R.", self.nxt, self.rcv)
        self.state = {"ESTABLISHED": "FIN-WAIT-1", "CLOSE-WAIT": "LAST-ACK"}[self.state]
        self.nxt += 1
        return text + outbound("+0", "F.", self.nxt - 1, self.rcv)

    def on_text(self):
        text = inbound("+.01", "P.", self.peer_nxt, TEXT, self.peer_ack)
        self.peer_nxt += TEXT
        if self.state != "ESTABLISHED" and not self.held:  # nobody reads it: SHLD-3
            self.state = "CLOSED"
            return text + outbound("+0", "R.", self.nxt, self.rcv)
        self.rcv += TEXT
        self.unread += TEXT
        return text + self.answer("+0~+.04")

    def acknowledge(self, number):
        """Fifth. Only our FIN is there to be acknowledged."""
        self.peer_ack = number
        if number == self.nxt and self.una != self.nxt:
            self.una = number
            self.state = {"FIN-WAIT-1": "FIN-WAIT-2", "CLOSING": "TIME-WAIT",
                          "LAST-ACK": "CLOSED"}[self.state]

    def on_ack(self):
        if self.state == "CLOSED":
            return self.to_nobody(".", self.peer_nxt, self.nxt)
        self.acknowledge(self.nxt)
        return inbound("+.01", ".", self.peer_nxt, 0, self.nxt)

    def send_fin(self, number):
        self.fin = self.peer_nxt, number
        self.peer_nxt += 1
        if self.state == "CLOSED":
            return self.to_nobody("F.", *self.fin)
        text = inbound("+.01", "F.", self.fin[0], 0, number)
        self.acknowledge(number)
        self.rcv += 1
        self.state = {"ESTABLISHED": "CLOSE-WAIT", "FIN-WAIT-1": "CLOSING",
                      "FIN-WAIT-2": "TIME-WAIT"}[self.state]
        return text + self.answer()

    def on_fin(self):
        return self.send_fin(self.peer_ack)

    def on_finack(self):
        return self.send_fin(self.nxt)

    def on_again(self):
        if self.state == "CLOSED":
            return self.to_nobody("F.", *self.fin)
        return inbound("+.01", "F.", self.fin[0], 0, self.fin[1]) + self.answer()

    def to_nobody(self, flags, seq, ack):
        """What comes for a connection that is gone finds the listener: 3.10.7.2 second."""
        return inbound("+.01", flags, seq, 0, ack) + outbound("+0", "R", ack)

    def end(self):
        """What the user sees, and our FIN again if it was not acknowledged."""
        text = ""
        if self.held:
            text += f"+0    %{{ assert tcpi_state == {TCPI[self.state]}, tcpi_state }}%\n"
            call = "+0    recv(4, ..., 100, MSG_DONTWAIT) = "
            if self.unread:
                text += f"{call}{self.unread}\n"
            again = "-1 EAGAIN (Resource temporarily unavailable)"
            text += f"{call}{'0' if self.fin else again}\n"
        if self.state in ("FIN-WAIT-1", "CLOSING", "LAST-ACK"):
            text += outbound("+0~+.4", "F.", self.una, self.rcv)
        return text


def is_possible(order):
    """Once the peer's FIN is out it says no more; it is the same FIN that comes again; and an ACK,
    or a FIN that acknowledges, has something to acknowledge that the one before did not."""
    at = {event: place for place, event in enumerate(order)}
    last = len(order)
    fin = min(at.get(FIN, last), at.get(FIN_AND_ACK, last))
    closed = at.get(CLOSE, last)
    return not (FIN in at and FIN_AND_ACK in at
                or at.get(SAY, -1) > fin
                or FIN_AGAIN in at and at[FIN_AGAIN] < fin or FIN_AGAIN in at and fin == last
                or ACK in at and at[ACK] < closed
                or FIN_AND_ACK in at and (at[FIN_AND_ACK] < closed or at.get(ACK, last) < last)
                or closed == last)


def main():
    out = Writer("orders")
    for size in range(1, len(EVENTS) + 1):
        for order in itertools.permutations(EVENTS, size):
            for held in (True, False) if is_possible(order) else ():
                connection = Connection(held)
                text = SERVER + "\n"
                text += "".join(connection.happens(event) for event in order)
                text += "\n" + connection.end()
                out.write(("half-close-" if held else "close-") + "-".join(order),
                          f"{', '.join(order)}: ends in {connection.state}.\nRFC 9293 3.6", text)
    out.done()


if __name__ == "__main__":
    main()
