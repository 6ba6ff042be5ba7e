#!/usr/bin/env python3
"""One segment in CLOSED, LISTEN, SYN-SENT and SYN-RECEIVED: all 64 flags, with text and without.

The rules: RFC 9293 3.10.7.1 (row U-1), 3.10.7.2 (U-2), 3.10.7.3 (U-3, RFC5961-3.2-2) and, for
SYN-RECEIVED, 3.10.7.4 (U-7, U-8, U-9, MUST-11; attacks C-08, C-15); for resets in answer 3.5.2
(U-17). SYN-RECEIVED is reached by a passive open and by SYNs that cross (MUST-10).
"""
import synchronised
from states import (CONNECT, MASK, OPEN, PEER_WINDOW, SYN, SYNCHRONISED, WINDOW, Writer, inbound,
                    outbound)

LETTERS = "FSRPU."
NAMES = {"F": "fin", "S": "syn", "R": "rst", "P": "psh", ".": "ack", "U": "urg"}
EVERY = ["".join(letter for bit, letter in enumerate(LETTERS) if number >> bit & 1)
         for number in range(64)]
# Where sequence and acknowledgement numbers are tried as well, these flags are enough.
SOME = ["", "R", "R.", "S", "S.", "SR", ".", "F", "F.", "P", "P.", "FP.", "PU."]
SEQ = 1000
PEERS_SYN = f"+.01  < S 0:0(0) win {PEER_WINDOW} <mss 1000>\n+0    > S. 0:0(0) ack 1 <...>\n"
NEW_SYN = (f"+.1   < S 2000:2000(0) win {PEER_WINDOW} <mss 1000>\n"
           "+0    > S. 0:0(0) ack 2001 <...>\n")
NO_ERROR = "+0    getsockopt({fd}, SOL_SOCKET, SO_ERROR, [0], [4]) = 0\n"


def name_of(flags, length):
    names = [NAMES[letter] for letter in flags] or ["null"]
    return "-".join(names) + ("-text" if length else "")


def span(flags, length):
    return length + ("S" in flags) + ("F" in flags)


def state_is(what):
    return f"+0    %{{ assert tcpi_state == {what}, tcpi_state }}%\n"


def comment(state, flags, length, section):
    return (f"{state}: <{name_of(flags, length).replace('-', ', ').upper()}>.\n"
            f"RFC 9293 {section}")


# ---- CLOSED, LISTEN -----------------------------------------------------------------------------


def closed(flags, length):
    """3.10.7.1, 3.5.2 (1). A script counts ACKs from the peer's ISN once a SYN told it."""
    if "R" in flags:
        return ""
    if "." in flags:
        return outbound("+0", "R", 500)
    base = 0 if "S" in flags else SEQ
    return outbound("+0", "R.", 0, base + span(flags, length))


def listen(flags, length):
    """3.10.7.2: first RST, second ACK, third SYN, fourth all else."""
    del length  # deviation D4
    if "R" in flags:
        return ""
    if "." in flags:
        return outbound("+0", "R", 500)
    if "S" in flags and "F" not in flags:  # deviation D17
        return f"+0    > S. 0:0(0) ack {SEQ + 1} <...>\n"
    return ""


def write_closed_and_listen(out):
    for flags in EVERY:
        for length in (0, 10):
            segment = inbound("+0", flags, SEQ, length, 500 if "." in flags else None)
            out.write("closed-" + name_of(flags, length),
                      comment("CLOSED", flags, length, "3.10.7.1, 3.5.2"),
                      "0     socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n" + segment +
                      closed(flags, length))
            answer = listen(flags, length)
            question = "\n// The listener still listens.\n" + NEW_SYN
            out.write("listen-" + name_of(flags, length),
                      comment("LISTEN", flags, length, "3.10.7.2, 3.5.2"),
                      OPEN + "\n" + segment + answer + ("" if "S." in answer else question))


# ---- SYN-SENT -----------------------------------------------------------------------------------


def syn_sent(flags, ack):
    """3.10.7.3. SND.UNA is ISS, 0; SND.NXT is 1. The answer, the state and the error."""
    if ack is not None and ack != 1:
        return ("" if "R" in flags else outbound("+0", "R", ack)), "TCP_SYN_SENT", None
    if "R" in flags:
        if ack is None:
            return "", "TCP_SYN_SENT", None
        return "", "TCP_CLOSE", "ECONNREFUSED"
    if "S" not in flags or "F" in flags:  # deviation D17
        return "", "TCP_SYN_SENT", None
    if ack is None:
        return f"+0    > S. 0:0(0) ack {SEQ + 1} <...>\n", "TCP_SYN_RECV", None
    return outbound("+0", ".", 1, 1), "TCP_ESTABLISHED", None


def write_syn_sent(out):
    for flags in EVERY:
        acks = {"-ack-iss": 0, "-ack-iss-1": 1, "-ack-iss-2": 2, "-ack-before": -1}
        for which, ack in acks.items() if "." in flags else [("", None)]:
            for length in (0, 10):
                answer, state, error = syn_sent(flags, ack)
                text = CONNECT + "\n" + inbound("+.1", flags, SEQ, length, ack) + answer
                text += "\n" + state_is(state)
                text += (f"+0    getsockopt(3, SOL_SOCKET, SO_ERROR, [{error}], [4]) = 0\n"
                         if error else NO_ERROR.format(fd=3))
                out.write("syn-sent-" + name_of(flags, length) + which,
                          comment("SYN-SENT", flags, length, "3.10.7.3"), text)


# ---- SYN-RECEIVED -------------------------------------------------------------------------------


RECEIVED, GONE, ESTABLISHED = "SYN-RECEIVED", "CLOSED", "ESTABLISHED"
ACK = outbound("+0", ".", 1, 1)
EDGE = 1 + WINDOW


def in_window(number):
    return 1 <= number & MASK < EDGE


def acceptable(seq, size):
    return in_window(seq) or size > 0 and in_window(seq + size - 1)


def established(flags, length, seq, ack):
    """The acknowledgement completes the handshake; the rest of the segment is judged there."""
    start = SYNCHRONISED[0]
    result = synchronised.judge(start, flags, length, seq, ack, True)
    return synchronised.expected(result, start), ESTABLISHED, result


def last_steps(flags, length, seq, ack):
    """3.10.7.4 fifth to eighth."""
    if ack is None:
        return "", RECEIVED, None
    if ack != 1:
        return outbound("+0", "R", ack), RECEIVED, None
    return established(flags, length, seq, ack)


def passive(flags, length, seq, ack):
    """What LISTEN keeps of a SYN until it is acknowledged."""
    if flags == "S" and seq == 0:  # deviation D15
        return "+0    > S. 0:0(0) ack 1 <...>\n", RECEIVED, None
    if not acceptable(seq, span(flags, length)):
        answered = span(flags, length) and "R" not in flags  # deviation D11
        return ACK if answered else "", RECEIVED, None
    if "R" in flags:
        if seq == 1:
            return "", GONE, None
        return ACK if in_window(seq) else "", RECEIVED, None
    if "S" in flags:
        if in_window(seq):
            return "", GONE, None
        seq, flags = 1, flags.replace("S", "")  # an old SYN: its number is trimmed off
    return last_steps(flags, length, seq, ack)


def crossing(flags, length, seq, ack):
    """SYN-RECEIVED of an active open. Its SYN again with an ACK is figure 7, line 6."""
    if flags == "S." and seq == 0:
        return last_steps(".", length, 1, ack)
    if "S" in flags and "R" not in flags:
        return ACK, RECEIVED, None
    if "R" in flags:
        if seq == 1:
            return "", GONE, None
        return ACK if in_window(seq) else "", RECEIVED, None
    if not acceptable(seq, span(flags, length)):
        return ACK, RECEIVED, None
    return last_steps(flags, length, seq, ack)


def after_passive(state, result):
    """Accepted, or still waiting for its ACK, or nothing at all."""
    accept = "+0    fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n+0    accept(3, ..., ...) = "
    if state == ESTABLISHED:
        return accept + "4\n" + synchronised.seen_by_the_user(result, SYNCHRONISED[0])
    text = accept + "-1 EAGAIN (Resource temporarily unavailable)\n"
    ask = inbound("+.1", ".", 1, 0, 1)
    if state == GONE:
        return text + ask + outbound("+0", "R", 1)
    return text + ask + "+0    accept(3, ..., ...) = 4\n"


def after_crossing(state, result):
    if state == ESTABLISHED:
        return synchronised.seen_by_the_user(result, SYNCHRONISED[0]).replace("(4,", "(3,")
    if state == GONE:
        return (state_is("TCP_CLOSE") +
                "+0    getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0\n")
    return (state_is("TCP_SYN_RECV") + NO_ERROR.format(fd=3) + inbound("+.1", ".", 1, 0, 1) +
            state_is("TCP_ESTABLISHED"))


def received_segments():
    places = {"-at-irs": 0, "-at-rcv-nxt": 1, "-inside": 2, "-last": EDGE - 1, "-edge": EDGE,
              "-opposite": 1 + 2**31}
    acks = {"-ack-iss": 0, "-ack-iss-1": 1, "-ack-iss-2": 2, "-ack-before": -1}
    for flags in SOME:
        for where, seq in places.items():
            for which, ack in acks.items() if "." in flags else [("", None)]:
                for length in (0, 10) if "R" not in flags else (0,):
                    yield flags, length, where, seq, which, ack


def write_syn_received(out):
    for flags, length, where, seq, which, ack in received_segments():
        segment = inbound("+.1", flags, seq, length, ack)
        name = name_of(flags, length) + where + which
        answer, state, result = passive(flags, length, seq, ack)
        out.write("syn-received-passive-" + name,
                  comment("SYN-RECEIVED, from LISTEN", flags, length, "3.10.7.4"),
                  OPEN + SYN + "\n" + segment + answer + "\n" + after_passive(state, result))
        answer, state, result = crossing(flags, length, seq, ack)
        out.write("syn-received-active-" + name,
                  comment("SYN-RECEIVED, from SYN-SENT", flags, length, "3.10.7.4"),
                  CONNECT + PEERS_SYN + "\n" + segment + answer + "\n" +
                  after_crossing(state, result))


def main():
    out = Writer("unsynchronised")
    write_closed_and_listen(out)
    write_syn_sent(out)
    write_syn_received(out)
    out.done()


if __name__ == "__main__":
    main()
