"""The kernel ends connections to a lost peer."""

import socket

import pytest

from libs.runtime.keepalive import keep_alive


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the options are Linux's")
def test_a_lost_peer_is_noticed_within_half_a_minute_whether_idle_or_sent_to() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
        keep_alive(connection)
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        idle, every, probes, unacknowledged_ms = (
            connection.getsockopt(socket.IPPROTO_TCP, option)
            for option in (
                socket.TCP_KEEPIDLE,
                socket.TCP_KEEPINTVL,
                socket.TCP_KEEPCNT,
                socket.TCP_USER_TIMEOUT,
            )
        )
        assert idle + every * probes <= 30
        assert 0 < unacknowledged_ms <= 30_000


def test_a_unix_socket_is_left_as_it_is() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        keep_alive(connection)
        assert not connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
