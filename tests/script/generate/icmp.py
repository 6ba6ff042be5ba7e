#!/usr/bin/env python3
"""ICMP errors of every type and code in every state, and every quoted number (RFC 9293 3.9.2.2).

What an error may do, by the RFCs and deviation D5:

    while a connection opens    hard: it ends; soft: nothing (MUST-56)
    a record of a passive open  nothing: nobody is there to tell
    synchronised                nothing, hard ones included (RFC 5927 5.2)
    source quench, redirect     nothing, ever (MUST-55, RFC 6633)

and nothing at all unless the number quoted is in flight (RFC 5927 4.1). That a connection lives is
shown by what it still does: it answers, acknowledges, or sends.
"""
from states import CONNECT, OPEN, SYN, SYNCHRONISED, PEER_WINDOW, Writer

SOFT, HARD, IGNORED = "soft", "hard", "ignored"

# RFC 1122 3.2.2.1 and 4.2.3.9, RFC 1812 5.2.7: codes of type 3, then the other types.
IPV4 = [(f"unreachable code_{code}", HARD if code in (2, 3) else SOFT)
        for code in range(16) if code != 4]
IPV4 += [(f"time_exceeded code_{code}", SOFT) for code in (0, 1)]
IPV4 += [(f"parameter_problem code_{code}", SOFT) for code in (0, 1, 2)]
IPV4 += [("source_quench", IGNORED)]
IPV4 += [(f"redirect code_{code}", IGNORED) for code in range(4)]

# RFC 4443 3.1, 3.3, 3.4.
IPV6 = [(f"unreachable code_{code}", HARD if code in (1, 4) else SOFT) for code in range(7)]
IPV6 += [(f"time_exceeded code_{code}", SOFT) for code in (0, 1)]
IPV6 += [(f"parameter_problem code_{code}", SOFT) for code in (0, 1, 2)]

PEERS_SYN = f"+.01  < S 0:0(0) win {PEER_WINDOW} <mss 1000>\n+0    > S. 0:0(0) ack 1 <...>\n"

# State: how to get there, the number to quote, and what a living connection does then.
SETUP = {
    "SYN-SENT": (CONNECT, 0, f"+.05  < S. 0:0(0) ack 1 win {PEER_WINDOW} <mss 1000>\n"
                             "+0    > . 1:1(0) ack 1\n"),
    "SYN-RECEIVED": (CONNECT + PEERS_SYN, 0,
                     f"+.05  < P. 1:101(100) ack 1 win {PEER_WINDOW}\n"
                     "+0~+.04 > . 1:1(0) ack 101\n"),
    "SYN-RECEIVED-passive": (OPEN + SYN, 0, f"+.05  < P. 1:101(100) ack 1 win {PEER_WINDOW}\n"
                                            "+0~+.04 > . 1:1(0) ack 101\n"),
}
SENDS = ("+0    write(4, ..., 100) = 100\n+0    > P. 1:101(100) ack {rcv}\n",
         f"+.05  < . {{rcv}}:{{rcv}}(0) ack 101 win {PEER_WINDOW}\n"
         "+0    write(4, ..., 100) = 100\n+0    > P. 101:201(100) ack {rcv}\n")
AGAIN = (f"+.05  < F. {{at}}:{{at}}(0) ack {{ack}} win {PEER_WINDOW}\n"
         "+0    > . 2:2(0) ack {rcv}\n")
LIVES = {
    "ESTABLISHED": SENDS[1].format(rcv=1),
    "CLOSE-WAIT": SENDS[1].format(rcv=2),
    "FIN-WAIT-1": AGAIN.format(at=1, ack=2, rcv=2),
    "FIN-WAIT-2": AGAIN.format(at=1, ack=2, rcv=2),
    "CLOSING": AGAIN.format(at=1, ack=2, rcv=2),
    "LAST-ACK": f"+.05  < . 1:2(1) ack 1 win {PEER_WINDOW}\n+0    > . 2:2(0) ack 2\n",
    "TIME-WAIT": AGAIN.format(at=1, ack=2, rcv=2),
}
for state in SYNCHRONISED:
    sends = SENDS[0].format(rcv=state.rcv) if state.name in ("ESTABLISHED", "CLOSE-WAIT") else ""
    SETUP[state.name] = (state.script + sends, 1, LIVES[state.name])

ENDED = {
    "SYN-SENT": f"+.05  < S. 0:0(0) ack 1 win {PEER_WINDOW} <mss 1000>\n+0    > R 1:1(0)\n",
    "SYN-RECEIVED": f"+.05  < . 1:1(0) ack 1 win {PEER_WINDOW}\n+0    > R 1:1(0)\n",
}

DESCRIPTOR = {"SYN-SENT": 3, "SYN-RECEIVED": 3, "ESTABLISHED": 4, "CLOSE-WAIT": 4}

IDS = {SOFT: "MUST-54, MUST-56", HARD: "SHLD-26, MUST-54, RFC5927-4-1", IGNORED: "MUST-55, C-05"}


def error(writer, version, message, kind, state):
    """One error, quoting what is in flight, in one state."""
    script, number, lives = SETUP[state]
    ends = kind == HARD and state in ENDED
    ids = IDS[kind]
    if kind == HARD and not ends:
        ids = "RFC5927-4-1, C-05"
    what = "it ends" if ends else "nothing comes of it"
    if kind == IGNORED and state in DESCRIPTOR:  # not even told of
        lives += f"+0    getsockopt({DESCRIPTOR[state]}, SOL_SOCKET, SO_ERROR, [0], [4]) = 0\n"
    writer.write(f"ipv{version}-{state.lower()}-{message.replace(' ', '-').replace('_', '-')}",
                 f"{message} ({kind}) in {state}: {what}.\nRFC 9293 3.9.2.2: {ids}",
                 f"--ip_version=ipv{version}\n{script}\n"
                 f"+.01  < icmp {message} [{number}:{number}(0)]\n\n"
                 + (ENDED[state] if ends else lives))


# Quoted numbers, counted from SND.UNA or SND.NXT, and whether they are in flight.
NUMBERS = [("before", "una", -1, False), ("una", "una", 0, True), ("after-una", "una", 1, True),
           ("last", "nxt", -1, True), ("nxt", "nxt", 0, False), ("beyond", "nxt", 1, False),
           ("long-ago", "una", -1000, False), ("half-away", "una", 2**31, False),
           ("wrapped", "una", -5000, False)]
TOO_BIG = {4: "unreachable frag_needed mtu 640", 6: "packet_too_big mtu 1280"}
# The MSS that the message leads to; in IPv6 1280 is the least, so the segments are made larger.
SIZE = {4: (1000, 600), 6: (1400, 1220)}


def quote(writer, version, name, base, offset, in_flight):
    """A message about the path MTU: what is in flight is cut and sent again, or nothing happens."""
    size, small = SIZE[version]
    una, nxt = small + 1, small + 2 * size + 1  # none of this size passed yet (RFC 5927 7.2)
    quoted = ({"una": una, "nxt": nxt}[base] + offset) % 2**32
    script = f"{SETUP['ESTABLISHED'][0].split('+0    write')[0]}".replace("mss 1000",
                                                                          f"mss {size}")
    script += f"+0    write(4, ..., {small}) = {small}\n+0    > P. 1:{una}({small}) ack 1\n"
    script += f"+.1   < . 1:1(0) ack {una} win {PEER_WINDOW}\n"
    script += f"+0    write(4, ..., {2 * size}) = {2 * size}\n"
    for i in range(2):
        flag = "P." if i == 1 else "."
        script += f"+0    > {flag} {i * size + una}:{(i + 1) * size + una}({size}) ack 1\n"
    script += "\n"
    script += f"+0    < icmp {TOO_BIG[version]} [{quoted}:{(quoted + size) % 2**32}({size})]\n"
    at = una
    while in_flight and at < nxt:
        for piece in (small, size - small):
            end = at + piece
            flag = "P." if end == nxt else "."
            script += f"+0    > {flag} {at}:{end}({piece}) ack 1\n"
            at = end
    script += f"+.05  < . 1:1(0) ack {nxt} win {PEER_WINDOW}\n"
    script += f"+0    write(4, ..., {size}) = {size}\n"
    at, end = nxt, nxt + size
    if in_flight:
        script += f"+0    > . {at}:{at + small}({small}) ack 1\n"
        at += small
    script += f"+0    > P. {at}:{end}({end - at}) ack 1\n"
    ids = "RFC1191-3-1, MUST-54" if version == 4 else "RFC8201-4-1, MUST-54"
    writer.write(f"ipv{version}-quote-{name}",
                 f"A message that quotes {name}: {'in' if in_flight else 'not in'} flight.\n"
                 f"RFC 5927 4.1: {ids if in_flight else 'RFC5927-4-1, C-05'}",
                 f"--ip_version=ipv{version}\n{script}")


def main():
    writer = Writer("icmp")
    for version, table in ((4, IPV4), (6, IPV6)):
        for message, kind in table:
            for state in SETUP:
                error(writer, version, message, kind, state)
        for row in NUMBERS:
            quote(writer, version, *row)
    writer.done()


if __name__ == "__main__":
    main()
