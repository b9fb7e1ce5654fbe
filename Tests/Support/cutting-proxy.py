#!/usr/bin/env python3
"""Passes TCP connections on to a port of this machine, and cuts them when it is told to.

Usage: cutting-proxy.py PORT READY. Its own port goes into the file READY. SIGUSR1 cuts all connections there are;
SIGUSR2 cuts them and takes no more, until it comes again. It ends with its standard input.
"""

import os
import select
import signal
import socket
import sys


def main() -> None:
    target, ready = int(sys.argv[1]), sys.argv[2]
    listener = socket.create_server(("127.0.0.1", 0))
    with open(ready + ".new", "w") as file:
        file.write(str(listener.getsockname()[1]))
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, lambda *_: None)
    os.rename(ready + ".new", ready)
    pairs: dict[socket.socket, socket.socket] = {}
    is_open = True

    def cut(one: socket.socket) -> None:
        other = pairs.pop(one, None)
        if other is None:
            return
        pairs.pop(other, None)
        one.close()
        other.close()

    while True:
        readable, _, _ = select.select([0, wake, listener, *pairs], [], [])
        if 0 in readable:
            return
        if wake in readable:
            for number in os.read(wake, 100):
                for one in list(pairs):
                    cut(one)
                if number == signal.SIGUSR2:
                    is_open = not is_open
        if listener in readable:
            near = listener.accept()[0]
            try:
                far = socket.create_connection(("127.0.0.1", target))
            except OSError:
                far = None
            if far is None or not is_open:
                near.close()
                continue
            pairs[near], pairs[far] = far, near
        for one in readable:
            if one not in pairs:
                continue
            try:
                piece = one.recv(65536)
                if piece:
                    pairs[one].sendall(piece)
            except OSError:
                piece = b""
            if not piece:
                cut(one)


main()
