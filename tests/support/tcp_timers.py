"""What the kernel does for the TCP connections of this process."""

from pathlib import Path

import psutil

ESTABLISHED, KEEP_ALIVE = "01", "02"  # in /proc/net/tcp: a state, and a timer


def probed_connections(server_port: int) -> list[bool]:
    """Return of each connection to a server of this machine whether the kernel probes its peer when idle."""
    connections = psutil.Process().net_connections("tcp4")
    ours = {one.laddr.port for one in connections if one.raddr and one.raddr.port == server_port}
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [
        timer.startswith(KEEP_ALIVE)
        for _, local, _, state, _, timer, *_ in lines
        if state == ESTABLISHED and int(local.rpartition(":")[2], 16) in ours
    ]
