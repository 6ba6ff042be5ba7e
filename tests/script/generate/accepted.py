"""A connection that the stack accepted, and what it sends there: for tables of what comes then.

Descriptor 4 is the connection; both ends count from their ISN; the peer takes segments of MSS. (The
states of states.py are for tables in which our own window matters too.)
"""
MSS = 1000
SACK = ",sackOK,nop,nop"  # behind the MSS in the peer's SYN


def accepted(trip="+.1", window=65535, last_window=None, syn_options="", ack_options=""):
    """The handshake takes `trip`; the peer offers `window`, at its end `last_window` if that differs."""
    if last_window is None:
        last_window = window
    return f"""0     socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0    bind(3, ..., ...) = 0
+0    listen(3, 1) = 0
+0    < S 0:0(0) win {window} <mss {MSS}{syn_options}>
+0    > S. 0:0(0) ack 1 <...>
{trip:<5} < . 1:1(0) ack 1 win {last_window}{ack_options}
+0    accept(3, ..., ...) = 4
"""


def number(segment):
    """The first sequence number of a whole segment, counted from 0."""
    return segment * MSS + 1


def write(size):
    return f"+0    write(4, ..., {size}) = {size}\n"


def sent(when, first, length=MSS, flags="."):
    """The stack must send this."""
    return f"{when:<5} > {flags} {first}:{first + length}({length}) ack 1\n"
