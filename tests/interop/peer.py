#!/usr/bin/env python3
"""peer.py - Linux's end of a connection, where curl and nginx are too polite.

    peer.py rude ADDRESS PORT           an HTTP server that breaks off: see RUDE
    peer.py echo ADDRESS PORT           one connection: reads to its end, says what came, closes
    peer.py talk ADDRESS PORT TEXT      connects, sends, closes its half, prints what comes
    peer.py wait ADDRESS PORT TEXT      connects, reads to the end first, then sends and closes
    peer.py exchange ADDRESS PORT FILE  connects, sends the file, prints what comes meanwhile
"""
import socket
import struct
import sys
import threading
import time


def answer_short(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + bytes(5000))


def answer_reset(connection):
    answer_short(connection)
    time.sleep(0.2)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def answer_nonsense(connection):
    connection.sendall(b"220 mail.example ESMTP\r\n")


def answer_chunk_short(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\nabc")


def answer_to_end(connection):
    connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + b"to the end" * 1000)


def answer_never(connection):
    time.sleep(30)


def answer_trickle(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(300):
        connection.sendall(b".")
        time.sleep(0.1)


RUDE = {
    "/short": answer_short,  # closes before the end
    "/reset": answer_reset,  # the same by RST
    "/nonsense": answer_nonsense,  # is no HTTP server
    "/chunk-short": answer_chunk_short,  # closes inside a chunk
    "/to-end": answer_to_end,  # is well: a body that ends with the connection
    "/never": answer_never,  # says nothing
    "/trickle": answer_trickle,  # says too little
}


def listen(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, int(port)))
    listener.listen()
    return listener


def read_all(connection):
    data = b""
    while more := connection.recv(65536):
        data += more
    return data


def answer_rudely(connection):
    request = connection.recv(65536).decode("latin-1").split(" ")
    try:
        RUDE[request[1]](connection)
    except OSError:
        pass
    connection.close()


def rude(address, port):
    listener = listen(address, port)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer_rudely, args=(connection,)).start()


def echo(address, port):
    connection, _ = listen(address, port).accept()
    data = read_all(connection)
    connection.sendall(b"got %d bytes: " % len(data) + data[:100])
    connection.close()


def connect(address, port):
    # A listener that is just being started refuses at first.
    for _ in range(100):
        try:
            return socket.create_connection((address, int(port)), timeout=20)
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise SystemExit("refused for 5 s")


def talk(address, port, text):
    connection = connect(address, port)
    connection.sendall(text.encode())
    connection.shutdown(socket.SHUT_WR)
    sys.stdout.buffer.write(read_all(connection))


def wait(address, port, text):
    connection = connect(address, port)
    sys.stdout.buffer.write(read_all(connection))
    # The peer's half is closed: ours still carries data.
    time.sleep(0.3)
    connection.sendall(text.encode())
    connection.close()


def exchange(address, port, path):
    connection = connect(address, port)

    def send():
        with open(path, "rb") as file:
            connection.sendfile(file)
        connection.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    sys.stdout.buffer.write(read_all(connection))
    sender.join()


WHAT = {"rude": rude, "echo": echo, "talk": talk, "wait": wait, "exchange": exchange}
WHAT[sys.argv[1]](*sys.argv[2:])
