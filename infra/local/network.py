"""Local ports, and whether a server answers on them: PostgreSQL, AMQP, HTTP."""

import http.client
import random
import socket
import struct

HOST = "127.0.0.1"
PORTS = range(20_000, 32_000)  # below the range that systems use for outgoing connections
TIMEOUT_S = 2.0

AMQP_HEADER = b"AMQP\x00\x00\x09\x01"
POSTGRES_PROTOCOL = 3 << 16


def free_port() -> int:
    """Return a random port that nothing listens on now."""
    while True:
        port = random.choice(PORTS)  # noqa: S311
        if is_free(port):
            return port


def is_free(port: int) -> bool:
    """Return whether the port can be listened on."""
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((HOST, port))
        except OSError:
            return False
    return True


def accepts(host: str, port: int) -> bool:
    """Return whether a TCP connection succeeds within `TIMEOUT_S` seconds."""
    try:
        socket.create_connection((host, port), TIMEOUT_S).close()
    except OSError:
        return False
    return True


def speaks_postgres(port: int) -> bool:
    """Return whether the user `postgres` can log in; a server that is starting refuses."""
    names = b"user\x00postgres\x00database\x00postgres\x00\x00"
    greeting = struct.pack("!ii", len(names) + 8, POSTGRES_PROTOCOL) + names
    return _first_byte(port, greeting) == b"R"


def speaks_amqp(port: int) -> bool:
    """Return whether the server answers an AMQP protocol header."""
    return bool(_first_byte(port, AMQP_HEADER))


def speaks_http(port: int, path: str = "/") -> bool:
    """Return whether the server answers a GET request, with any status."""
    connection = http.client.HTTPConnection(HOST, port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status > 0
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _first_byte(port: int, greeting: bytes) -> bytes:
    try:
        with socket.create_connection((HOST, port), TIMEOUT_S) as connection:
            connection.sendall(greeting)
            return connection.recv(1)
    except OSError:
        return b""
