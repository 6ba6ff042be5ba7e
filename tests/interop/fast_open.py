#!/usr/bin/env python3
"""fast_open.py - Linux as a Fast Open client (RFC 7413): fetches a file, its request in the SYN.

    fast_open.py ADDRESS PORT PATH COUNT    prints how many of the SYNs had their data taken
"""
import socket
import sys

TCP_INFO, SYN_DATA_TAKEN = 11, 32  # linux/tcp.h: TCPI_OPT_SYN_DATA


def fetch(address, port, path):
    request = f"GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as connection:
        connection.sendto(request, socket.MSG_FASTOPEN, (address, port))
        answer = b""
        while part := connection.recv(65536):
            answer += part
        info = connection.getsockopt(socket.IPPROTO_TCP, TCP_INFO, 192)
    if not answer.startswith(b"HTTP/1.1 200"):
        sys.exit(f"the answer is {answer[:40]}")
    return answer.split(b"\r\n\r\n", 1)[1], bool(info[5] & SYN_DATA_TAKEN)


address, port, path, count = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
results = [fetch(address, port, path) for _ in range(count)]
if len({body for body, _ in results}) != 1:
    sys.exit("the answers differ")
print(sum(taken for _, taken in results))
