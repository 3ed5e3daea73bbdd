"""Ports of this machine, and the first words of three protocols."""

import http.client
import random
import socket
import struct

HOST = "127.0.0.1"
PORTS = range(20_000, 32_000)  # below the range from which systems take outgoing ports
TIMEOUT_S = 2.0

AMQP_HEADER = b"AMQP\x00\x00\x09\x01"
POSTGRES_PROTOCOL = 3 << 16


def free_port() -> int:
    while True:
        port = random.choice(PORTS)  # noqa: S311
        if is_free(port):
            return port


def is_free(port: int) -> bool:
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((HOST, port))
        except OSError:
            return False
    return True


def accepts(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), TIMEOUT_S).close()
    except OSError:
        return False
    return True


def speaks_postgres(port: int) -> bool:
    """Whether a session for the user `postgres` is let in; a server still starting refuses it."""
    names = b"user\x00postgres\x00database\x00postgres\x00\x00"
    hello = struct.pack("!ii", len(names) + 8, POSTGRES_PROTOCOL) + names
    return _first_byte(port, hello) == b"R"


def speaks_amqp(port: int) -> bool:
    return bool(_first_byte(port, AMQP_HEADER))


def speaks_http(port: int, path: str = "/") -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status > 0
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _first_byte(port: int, hello: bytes) -> bytes:
    try:
        with socket.create_connection((HOST, port), TIMEOUT_S) as connection:
            connection.sendall(hello)
            return connection.recv(1)
    except OSError:
        return b""
