"""Ports of this machine below those that the system gives to outgoing connections.

A server that is started takes its port only a second or two later, and one that is started again leaves it
for a while. So a port that was handed out is marked for all processes, by a UDP
socket of the same number.
"""

import os
import secrets
import socket
from collections import deque
from contextlib import ExitStack

PORTS = range(10_000, 20_000)
TRIES = 100
MARKS = 200  # held at once; whoever took the port of an older one is done

_marks: deque[int] = deque()  # file descriptors: they end with the process


def bound(*hosts: str) -> list[socket.socket]:
    """Sockets at one port of each of the hosts, bound and not yet listening."""
    for _ in range(TRIES):
        port = secrets.choice(PORTS)
        with ExitStack() as stack:
            try:
                mark = stack.enter_context(_marked(port))
                sockets = [stack.enter_context(_bound(host, port)) for host in hosts]
            except OSError:
                continue
            stack.pop_all()
            _hold(mark)
            return sockets
    raise AssertionError(f"no port is free at all of {', '.join(hosts)}")


def free_ports(number: int) -> list[int]:
    """Ports of 127.0.0.1 for processes that are to be started."""
    with ExitStack() as stack:
        return [stack.enter_context(bound("127.0.0.1")[0]).getsockname()[1] for _ in range(number)]


def free_port() -> int:
    return free_ports(1)[0]


def _marked(port: int) -> socket.socket:
    mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        mark.bind(("127.0.0.1", port))
    except OSError:
        mark.close()
        raise
    return mark


def _hold(mark: socket.socket) -> None:
    _marks.append(mark.detach())
    if len(_marks) > MARKS:
        os.close(_marks.popleft())


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
    except OSError:
        found.close()
        raise
    return found
