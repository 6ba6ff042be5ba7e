#!/usr/bin/env python3
"""The user's calls in each state (RFC 9293 3.10.1 to 3.10.6): rows U-20, U-21; MUST-12.

Six calls in twelve states. The RFC words results; sockets say them as errno, here with Linux's
names, and as segments: CLOSE with a FIN or nothing, ABORT with a reset or nothing (deviation D13:
it carries ACK). Where a state is gone after the call, a segment for it finds CLOSED.
"""
from states import CONNECT, OPEN, PEER_WINDOW, SYNCHRONISED, Writer, inbound, outbound

PEERS_SYN = f"+.01  < S 0:0(0) win {PEER_WINDOW} <mss 1000>\n+0    > S. 0:0(0) ack 1 <...>\n"

AGAIN = "-1 EAGAIN (Resource temporarily unavailable)"
ALREADY = "-1 EALREADY (Operation already in progress)"
CONNECTED = "-1 EISCONN (Transport endpoint is already connected)"
INVALID = "-1 EINVAL (Invalid argument)"
IN_PROGRESS = "-1 EINPROGRESS (Operation now in progress)"
NOT_CONNECTED = "-1 ENOTCONN (Transport endpoint is not connected)"
PIPE = "-1 EPIPE (Broken pipe)"

# How to get there, and the descriptor.
SETUP = {
    "CLOSED": ("0     socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
               "+0    fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n", 3),
    "LISTEN": (OPEN, 3),
    "SYN-SENT": (CONNECT, 3),
    "SYN-RECEIVED": (CONNECT + PEERS_SYN, 3),
} | {state.name: (state.script, 4) for state in SYNCHRONISED}
SETUP["ended"] = (SETUP["LAST-ACK"][0] + inbound("+.01", ".", 2, 0, 2), 4)

# OPEN of an active kind, OPEN of a passive kind, SEND, RECEIVE, what STATUS tells.
RESULTS = {
    "CLOSED": (IN_PROGRESS, "0", PIPE, NOT_CONNECTED, None),
    "LISTEN": (CONNECTED, "0", PIPE, NOT_CONNECTED, None),
    "SYN-SENT": (ALREADY, INVALID, AGAIN, AGAIN, "TCP_SYN_SENT"),
    "SYN-RECEIVED": (ALREADY, INVALID, AGAIN, AGAIN, "TCP_SYN_RECV"),
    "ESTABLISHED": (CONNECTED, INVALID, "100", AGAIN, "TCP_ESTABLISHED"),
    "FIN-WAIT-1": (CONNECTED, INVALID, PIPE, AGAIN, "TCP_FIN_WAIT1"),
    "FIN-WAIT-2": (CONNECTED, INVALID, PIPE, AGAIN, "TCP_FIN_WAIT2"),
    "CLOSE-WAIT": (CONNECTED, INVALID, "100", "0", "TCP_CLOSE_WAIT"),
    "CLOSING": (CONNECTED, INVALID, PIPE, "0", "TCP_CLOSING"),
    "LAST-ACK": (CONNECTED, INVALID, PIPE, "0", "TCP_LAST_ACK"),
    "TIME-WAIT": (CONNECTED, INVALID, PIPE, "0", "TCP_TIME_WAIT"),
    "ended": (CONNECTED, INVALID, PIPE, "0", "TCP_CLOSE"),
}

# What SEND, CLOSE and ABORT put on the wire.
SENT = {
    "ESTABLISHED": ("P. 1:101(100) ack 1", "F. 1:1(0) ack 1", "R. 1:1(0) ack 1"),
    "CLOSE-WAIT": ("P. 1:101(100) ack 2", "F. 1:1(0) ack 2", "R. 1:1(0) ack 2"),
    "SYN-RECEIVED": (None, "F. 1:1(0) ack 1", "R. 1:1(0) ack 1"),
    "FIN-WAIT-1": (None, None, "R. 2:2(0) ack 1"),
    "FIN-WAIT-2": (None, None, "R. 2:2(0) ack 1"),
}

NUMBERS = {state.name: (state.rcv, state.nxt) for state in SYNCHRONISED}
NUMBERS |= {"SYN-SENT": (1, 1), "SYN-RECEIVED": (1, 1), "ended": (2, 2)}


def sent(state, which):
    line = SENT.get(state, (None, None, None))[which]
    return f"+0    > {line}\n" if line else ""


def old_text(state, gone):
    """Where the connection stands, or that it is gone."""
    if state not in NUMBERS:
        return ""
    rcv, nxt = NUMBERS[state]
    return inbound("+.05", "P.", rcv - 1, 1, nxt) + outbound("+0", "R", nxt) if gone else \
        inbound("+.05", "P.", rcv - 1, 1, nxt) + outbound("+0", ".", nxt, rcv)


def still_there(state):
    """Nothing changed. In SYN-SENT old text is no question; the SYN,ACK completes it instead."""
    if state == "SYN-SENT":
        return (f"+.05  < S. 0:0(0) ack 1 win {PEER_WINDOW} <mss 1000>\n"
                "+0    > . 1:1(0) ack 1\n")
    return old_text(state, state == "ended")


def calls(state, fd):
    """Each call as a name, what the RFC calls it, and the lines."""
    active, passive, send, receive, status = RESULTS[state]
    begins = "+0    > S 0:0(0) <...>\n" if state == "CLOSED" else ""
    yield "connect", "3.10.1 OPEN", (
        f"+0    connect({fd}, ..., ...) = {active}\n{begins}" +
        (still_there(state) if state != "CLOSED" else ""))
    yield "listen", "3.10.1 OPEN", (
        f"+0    listen({fd}, 1) = {passive}\n" + still_there(state))
    yield "send", "3.10.2 SEND", (
        f"+0    send({fd}, ..., 100, MSG_DONTWAIT) = {send}\n" + sent(state, 0) +
        (still_there(state) if not sent(state, 0) else ""))
    yield "receive", "3.10.3 RECEIVE", (
        f"+0    recv({fd}, ..., 100, MSG_DONTWAIT) = {receive}\n" + still_there(state))
    yield "close", "3.10.4 CLOSE", f"+0    close({fd}) = 0\n" + sent(state, 1) + after_close(state)
    yield "abort", "3.10.5 ABORT", (
        f"+0    setsockopt({fd}, SOL_SOCKET, SO_LINGER, {{onoff=1, linger=0}}, 8) = 0\n"
        f"+0    close({fd}) = 0\n" + sent(state, 2) + after_abort(state))
    if status:
        yield "status", "3.10.6 STATUS", (
            f"+0    %{{ assert tcpi_state == {status}, tcpi_state }}%\n"
            f"+0    getsockopt({fd}, SOL_SOCKET, SO_ERROR, [0], [4]) = 0\n" + still_there(state))


def after_close(state):
    if state in ("LISTEN", "CLOSED"):
        return "" if state == "CLOSED" else (
            f"+.05  < S 5:5(0) win {PEER_WINDOW} <mss 1000>\n+0    > R. 0:0(0) ack 1\n")
    if state == "SYN-SENT":
        return (f"+.05  < S. 0:0(0) ack 1 win {PEER_WINDOW} <mss 1000>\n"
                "+0    > R 1:1(0)\n")
    if sent(state, 1):  # the FIN took a number
        rcv, nxt = NUMBERS[state]
        return inbound("+.05", "P.", rcv - 1, 1, nxt) + outbound("+0", ".", nxt + 1, rcv)
    return old_text(state, state == "ended")


def after_abort(state):
    if state in ("LISTEN", "CLOSED", "SYN-SENT"):
        return after_close(state)
    return old_text(state, True)


def main():
    out = Writer("calls")
    for state, (setup, fd) in SETUP.items():
        for name, section, lines in calls(state, fd):
            out.write(f"{state.lower()}-{name}",
                      f"{section} in {state if state != 'ended' else 'CLOSED, after LAST-ACK'}.\n"
                      f"RFC 9293 {section.split()[0]}", setup + "\n" + lines)
    out.done()


if __name__ == "__main__":
    main()
