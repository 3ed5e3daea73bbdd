"""TCP keep-alive options, so that the kernel closes connections to a lost peer."""

import socket

IDLE_S = 10  # silence before the first probe
PROBE_EVERY_S = 5
PROBES = 3  # that are not answered before the connection is lost
UNACKNOWLEDGED_MS = 20_000  # for what was sent


def keep_alive(connection: socket.socket) -> None:
    """Let the kernel end a TCP connection whose peer has not answered for some 20 s.

    Options that the system does not support are left out. Other kinds of connection are not changed.
    """
    if connection.family not in (socket.AF_INET, socket.AF_INET6):
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", IDLE_S),
        ("TCP_KEEPINTVL", PROBE_EVERY_S),
        ("TCP_KEEPCNT", PROBES),
        ("TCP_USER_TIMEOUT", UNACKNOWLEDGED_MS),
    ):
        if (option := getattr(socket, name, None)) is not None:
            connection.setsockopt(socket.IPPROTO_TCP, option, value)
