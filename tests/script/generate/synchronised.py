#!/usr/bin/env python3
"""One segment in each synchronised state: every flag that matters, at every edge of both windows.

The rules are those of RFC 9293 3.10.7.4 with RFC 5961 (rows U-4, U-5, U-6, U-8, U-10, U-12, U-13;
RFC5961-3.2-1, RFC5961-4.2-1, RFC5961-5.2-1; attack C-01), in the order of its steps; see judge().
The user holds the connection, or let it go by close(): then text is answered with a reset (SHLD-3,
3.6.1) and TIME-WAIT may be opened anew (MAY-2). What is done otherwise on purpose is named by its
deviation.

A script sends the segment, expects the answer, looks at what the user is told, and then asks with
a byte of old text where the connection stands: the ACK of that shows SND.NXT and RCV.NXT, or a
reset that there is none any more.
"""
from states import MASK, SYNCHRONISED, WINDOW, PEER_WINDOW, Writer, inbound, outbound

TEXT = 10
EDGE = 1 + WINDOW  # RCV.NXT + RCV.WND, in every state

# What arrives: flags as a script writes them, and whether it carries text.
KINDS = [("R", 0), ("R.", 0), ("S", 0), ("S.", 0), (".", 0), ("F.", 0), ("P.", TEXT),
         ("FP.", TEXT), ("P", TEXT), ("F", 0), ("-", 0)]


def sequence_classes(state):
    """Around RCV.NXT and around the right edge of the window."""
    return {"before": state.rcv - 1, "at-rcv-nxt": state.rcv, "inside": state.rcv + 1,
            "last": EDGE - 1, "edge": EDGE, "opposite": state.rcv + 2**31}


def ack_classes(state, flags):
    """Around SND.UNA and SND.NXT, and around the oldest that RFC 5961 5.2 lets pass."""
    if "." not in flags:
        return {"": None}
    if "R" in flags or "S" in flags:  # whose ACK field is not looked at
        return {"-ack-una": state.una, "-ack-future": state.nxt + 1}
    acks = {"-ack-ancient": state.una - PEER_WINDOW - 1, "-ack-oldest": state.una - PEER_WINDOW,
            "-ack-old": state.una - 1, "-ack-una": state.una, "-ack-future": state.nxt + 1}
    if state.nxt != state.una:
        acks["-ack-nxt"] = state.nxt
    return acks


class Result:
    """What must follow: answers, and the state after them."""

    def __init__(self, state):
        self.name, self.rcv, self.nxt = state.name, state.rcv, state.nxt
        self.answer = None  # (flags, seq, ack)
        self.soon = False   # the answer may be held back
        self.read = None    # bytes that the user can read
        self.error = None
        self.syn_ack = False

    def ack(self):
        self.answer = (".", self.nxt, self.rcv)
        return self

    def closed(self, error):
        self.name, self.error = "CLOSED", error
        return self


def within(number, low, size):
    return (number - low) & MASK < size


def acceptable(state, seq, span):
    """RFC 9293 3.4, table 6, for a window that is open."""
    size = EDGE - state.rcv
    return within(seq, state.rcv, size) or (span > 0 and within(seq + span - 1, state.rcv, size))


def judge_time_wait(state, result, flags, seq, span, held):
    """TIME-WAIT has rules of its own."""
    if "R" in flags:  # RFC 1337, deviation D6
        return result
    if flags == "S":  # MAY-2, by number; not while the user reads the old one
        if not held and within(seq, state.rcv, 2**31):
            result.syn_ack = True
            return result
        return result.ack()
    if span == 0:  # deviation D7
        return result
    return result.ack()  # the FIN again, too


def judge(state, flags, length, seq, ack, held):
    """The answer to <SEQ=seq><ACK=ack><CTL=flags> with `length` bytes of text."""
    result = Result(state)
    span = length + ("S" in flags) + ("F" in flags)
    if state.name == "TIME-WAIT":
        return judge_time_wait(state, result, flags, seq, span, held)

    # Second: RST, by RFC 5961 3.2.
    if "R" in flags:
        if seq == state.rcv:
            # After the peer's FIN the socket calls of Linux say EPIPE.
            errors = {"CLOSE-WAIT": "EPIPE (Broken pipe)", "CLOSING": None, "LAST-ACK": None}
            return result.closed(errors.get(state.name, "ECONNRESET (Connection reset by peer)"))
        return result.ack() if within(seq, state.rcv, EDGE - state.rcv) else result
    # Fourth: SYN, by RFC 5961 4.2 whatever its number.
    if "S" in flags:
        return result.ack()
    # First: the sequence number.
    if not acceptable(state, seq, span):
        return result.ack()
    # Fifth: ACK.
    if ack is None:
        return result
    if not within(ack, state.una - PEER_WINDOW, state.nxt - state.una + PEER_WINDOW + 1):
        return result.ack()
    if ack == state.nxt and state.nxt != state.una:
        if state.name == "FIN-WAIT-1":
            result.name = "FIN-WAIT-2"
        elif state.name == "CLOSING":
            result.name = "TIME-WAIT"
            return result
        elif state.name == "LAST-ACK":
            return result.closed(None)
    # Seventh: text; ignored after the peer's FIN.
    if state.rcv == 2:
        return result
    if length and not held:
        result.answer = ("R.", result.nxt, state.rcv)  # deviation D13
        return result.closed(None)
    if length:
        result.ack()
        if within(state.rcv - seq, 0, length):
            result.read = length - (state.rcv - seq)
            result.rcv = seq + length
            result.ack()
            result.soon = True
    # Eighth: FIN, where everything before it has arrived.
    if "F" in flags and (result.rcv - seq - length) & MASK == 0:
        result.rcv += 1
        result.soon = False
        result.name = {"ESTABLISHED": "CLOSE-WAIT", "FIN-WAIT-1": "CLOSING",
                       "FIN-WAIT-2": "TIME-WAIT"}[result.name]
        result.ack()
    elif "F" in flags:
        result.ack()
    return result


def expected(result, state):
    """The lines of the answer."""
    if result.syn_ack:
        return "+0    > S. 0:0(0) ack {} <...>\n"
    if not result.answer:
        return ""
    flags, seq, ack = result.answer
    return outbound("+0~+.04" if result.soon else "+0", flags, seq, ack)


TCPI = {state.name: state.tcpi for state in SYNCHRONISED} | {"CLOSED": "TCP_CLOSE"}


def seen_by_the_user(result, before):
    """RECEIVE and STATUS (3.10.3, 3.10.6)."""
    text = f"+0    %{{ assert tcpi_state == {TCPI[result.name]}, tcpi_state }}%\n"
    call = "+0    recv(4, ..., 100, MSG_DONTWAIT) = "
    if result.read:
        text += f"{call}{result.read}\n"
    if result.error:
        return f"{text}{call}-1 {result.error}\n"
    if result.rcv == 2 or result.read and result.rcv == 2 + result.read or before.rcv == 2:
        return text + call + "0\n"
    if result.name == "CLOSED" or fin_was_read(result, before):
        return text + call + "0\n"
    return text + call + "-1 EAGAIN (Resource temporarily unavailable)\n"


def fin_was_read(result, before):
    return before.rcv == 1 and result.name in ("CLOSE-WAIT", "CLOSING", "TIME-WAIT")


def question(result):
    """A byte of old text, and what tells where the connection stands."""
    ask = inbound("+.05", "P.", result.rcv - 1, 1, result.nxt)
    if result.name == "CLOSED":
        return ask + outbound("+0", "R", result.nxt)
    return ask + outbound("+0", ".", result.nxt, result.rcv)


def script(state, held, flags, length, seq, ack):
    result = judge(state, flags, length, seq, ack, held)
    text = state.script
    if not held:
        text = text.replace("shutdown(4, SHUT_WR)", "close(4)")
    text += "\n// The segment.\n" + inbound("+.01", flags, seq, length, ack)
    text += expected(result, state).format((seq + 1) & MASK)
    if result.syn_ack:
        return text
    text += "\n// What became of it.\n"
    if held:
        text += seen_by_the_user(result, state)
    return text + question(result)


def main():
    out = Writer("synchronised")
    for state in SYNCHRONISED:
        for held in (True, False):
            if not held and "shutdown" not in state.script:
                continue  # nothing was closed
            for flags, length in KINDS:
                for where, seq in sequence_classes(state).items():
                    if state.rcv == 2 and "F" in flags and where not in ("before", "edge",
                                                                         "opposite"):
                        continue  # a second FIN behind the first is no peer's
                    for which, ack in ack_classes(state, flags).items():
                        one(out, state, held, flags, length, where, seq, which, ack)
    out.done()


def one(out, state, held, flags, length, where, seq, which, ack):
    names = {"R": "rst", "S": "syn", ".": "ack", "F": "fin", "P": "text", "-": "null"}
    kind = "-".join(names[letter] for letter in flags)
    owner = "" if held else "-orphan"
    out.write(f"{state.file()}{owner}-{kind}-{where}{which}",
              f"{state.name}: <{kind.replace('-', ', ').upper()}>, {where.replace('-', ' ')}.\n"
              "RFC 9293 3.10.7.4, RFC 5961",
              script(state, held, flags, length, seq, ack))


if __name__ == "__main__":
    main()
