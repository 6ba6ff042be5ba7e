"""The states of RFC 9293 3.3.2 as scripts: how to get there, and which numbers hold there.

Used by the generators beside it. A generator prints scripts into the folder that it is given; what
each script expects comes from the rules written in the generator, never from a run of the stack.
"""
import os
import sys

MASK = 2**32 - 1
WINDOW = 4000  # what we offer; its right edge stays where it is, since nothing is read
PEER_WINDOW = 30000

OPEN = f"""0     socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0    setsockopt(3, SOL_SOCKET, SO_RCVBUF, [{WINDOW}], 4) = 0
+0    bind(3, ..., ...) = 0
+0    listen(3, 1) = 0
"""
SYN = f"""+0    < S 0:0(0) win {PEER_WINDOW} <mss 1000>
+0    > S. 0:0(0) ack 1 win {WINDOW} <...>
"""
ACCEPT = f"""+.1   < . 1:1(0) ack 1 win {PEER_WINDOW}
+0    accept(3, ..., ...) = 4
"""
SERVER = OPEN + SYN + ACCEPT
CONNECT = f"""0     socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0    setsockopt(3, SOL_SOCKET, SO_RCVBUF, [{WINDOW}], 4) = 0
+0    fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0    connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
+0    > S 0:0(0) <...>
"""
OUR_FIN = "+0    shutdown(4, SHUT_WR) = 0\n+0    > F. 1:1(0) ack {ack}\n"
FIN_ACKED = f"+.01  < . 1:1(0) ack 2 win {PEER_WINDOW}\n"
PEERS_FIN = f"+.01  < F. 1:1(0) ack {{ack}} win {PEER_WINDOW}\n+0    > . {{seq}}:{{seq}}(0) ack 2\n"


class State:
    """A synchronised state: the numbers are those of the scripts, each counted from its ISN."""

    def __init__(self, name, steps, una, nxt, rcv, tcpi):
        self.name, self.steps = name, steps
        self.una, self.nxt, self.rcv = una, nxt, rcv
        self.tcpi = tcpi
        self.script = SERVER + steps

    def file(self):
        return self.name.lower()


SYNCHRONISED = [
    State("ESTABLISHED", "", 1, 1, 1, "TCP_ESTABLISHED"),
    State("FIN-WAIT-1", OUR_FIN.format(ack=1), 1, 2, 1, "TCP_FIN_WAIT1"),
    State("FIN-WAIT-2", OUR_FIN.format(ack=1) + FIN_ACKED, 2, 2, 1, "TCP_FIN_WAIT2"),
    State("CLOSE-WAIT", PEERS_FIN.format(ack=1, seq=1), 1, 1, 2, "TCP_CLOSE_WAIT"),
    State("CLOSING", OUR_FIN.format(ack=1) + PEERS_FIN.format(ack=1, seq=2), 1, 2, 2,
          "TCP_CLOSING"),
    State("LAST-ACK", PEERS_FIN.format(ack=1, seq=1) + OUR_FIN.format(ack=2), 1, 2, 2,
          "TCP_LAST_ACK"),
    State("TIME-WAIT", OUR_FIN.format(ack=1) + FIN_ACKED + PEERS_FIN.format(ack=2, seq=2), 2, 2, 2,
          "TCP_TIME_WAIT"),
]


def inbound(when, flags, seq, length=0, ack=None, window=PEER_WINDOW):
    """A line of the peer's, `window` with every segment."""
    seq &= MASK
    text = f"{when:<5} < {flags or '-'} {seq}:{(seq + length) & MASK}({length})"
    if ack is not None:
        text += f" ack {ack & MASK}"
    return text + f" win {window}\n"


def outbound(when, flags, seq, ack=None):
    """A line that the stack must send; it carries nothing."""
    seq &= MASK
    text = f"{when:<5} > {flags} {seq}:{seq}(0)"
    if ack is not None:
        text += f" ack {ack & MASK}"
    return text + "\n"


class Writer:
    """Scripts into the folder of the command line, and how many."""

    def __init__(self, what):
        if len(sys.argv) != 2:
            sys.exit(f"usage: {sys.argv[0]} FOLDER")
        self.folder = os.path.join(sys.argv[1], what)
        self.count = 0
        os.makedirs(self.folder, exist_ok=True)
        for old in os.listdir(self.folder):
            if old.endswith(".pkt"):
                os.remove(os.path.join(self.folder, old))

    def write(self, name, comment, script):
        path = os.path.join(self.folder, name + ".pkt")
        if os.path.exists(path):
            sys.exit(f"{path}: there are two of that name")
        with open(path, "w", encoding="ascii") as out:
            out.write("".join(f"// {line}\n" for line in comment.strip().split("\n")))
            out.write("\n" + script)
        self.count += 1

    def done(self):
        print(f"{self.folder}: {self.count} scripts")
