"""Options of TCP connections, so that the kernel notices a peer that is gone."""

import socket

IDLE_S = 10  # silence before the first probe
PROBE_EVERY_S = 5
PROBES = 3  # that are not answered before the connection is lost
UNACKNOWLEDGED_MS = 20_000  # for what was sent


def keep_alive(connection: socket.socket) -> None:
    """Let the kernel end a TCP connection whose peer has not answered for some 20 s.

    What a system does not know is left out; a connection of another kind is left alone.
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
